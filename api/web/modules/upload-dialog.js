// Photos that are added: chosen, dropped, given tags, and handed to the tray, which shows how they fare.

import { at, counted, element, icon, iconButton } from "./elements.js";
import { tagsOf } from "./filters.js";

const TYPES = "image/jpeg,image/png,image/webp,image/gif";

/** @typedef {(photos: File[], collection: string, tags: string[]) => void} Send */

export class UploadDialog {
  /** @param {Send} send */
  constructor(send) {
    this.dialog = /** @type {HTMLDialogElement} */ (at("upload"));
    this.send = send;
    /** @type {File[]} */
    this.files = [];
  }

  /** @param {import("./types.js").Collection[]} collections @param {string | null} chosen @param {File[]} [files] */
  open(collections, chosen, files = []) {
    this.files = [];
    this.count = element("span", {}, "JPEG, PNG, WebP or GIF");
    this.submit = element("button", { type: "submit", class: "primary", disabled: true }, "Add photos");
    this.dialog.replaceChildren(
      element("div", { class: "top" }, element("h2", { id: "upload-title" }, "Add photos"),
        iconButton("close", "Close", { onclick: () => this.dialog.close() })),
      this.#form(collections, chosen));
    this.#take(files);
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** @param {import("./types.js").Collection[]} collections @param {string | null} chosen */
  #form(collections, chosen) {
    const names = element("datalist", { id: "upload-names" }, ...collections.map(({ name }) => element("option", { value: name })));
    const collection = /** @type {HTMLInputElement} */ (element("input", {
      type: "text", list: "upload-names", required: true, maxlength: 200, autocomplete: "off", value: chosen ?? "photos",
    }));
    const tags = /** @type {HTMLInputElement} */ (element("input", { type: "text", autocomplete: "off", placeholder: "beach, family" }));
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.dialog.close();
      this.send(this.files, collection.value.trim(), tagsOf(tags.value));
    };
    return element("form", { onsubmit: submit }, this.#dropzone(),
      element("div", { class: "row" }, element("label", { class: "field" }, "Collection", collection), names,
        element("label", { class: "field" }, "Tags", tags)),
      element("div", { class: "row end" },
        element("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"), this.submit ?? null));
  }

  #dropzone() {
    const input = /** @type {HTMLInputElement} */ (element("input", {
      id: "upload-files", type: "file", multiple: true, accept: TYPES, class: "unseen",
      onchange: () => this.#take([...(input.files ?? [])]),
    }));
    const zone = element("label", { class: "dropzone", for: "upload-files" },
      icon("photo"), element("b", {}, "Choose photos, or drop them here"), this.count);
    zone.addEventListener("dragover", () => zone.classList.add("over"));
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", () => zone.classList.remove("over"));
    return element("div", {}, zone, input);
  }

  /** @param {File[]} files */
  #take(files) {
    if (!files.length || !this.count || !this.submit) return;
    this.files = files.filter((file) => TYPES.includes(file.type) && file.type);
    const others = files.length - this.files.length;
    this.count.textContent = counted(this.files.length, "photo") + (others ? `, ${counted(others, "file")} left out that are no photos` : "");
    this.submit.textContent = this.files.length ? `Add ${counted(this.files.length, "photo")}` : "Add photos";
    this.submit.toggleAttribute("disabled", this.files.length === 0);
  }
}
