// The collections: choose one, make one, delete one.

import * as api from "./api.js";
import { at, counted, element, icon, iconButton } from "./elements.js";
import { confirmed } from "./question.js";

/** @typedef {import("./types.js").Collection} Collection */

/** @param {Collection} collection */
export const sizeOf = ({ photos, sentences }) => `${counted(photos, "photo")} · ${counted(sentences, "sentence")}`;

export class CollectionsDialog {
  /** @param {(name: string) => void} choose @param {() => Promise<Collection[]>} reload reads the collections anew and
   * shows the page without one that is gone */
  constructor(choose, reload) {
    this.dialog = /** @type {HTMLDialogElement} */ (at("collections"));
    this.choose = choose;
    this.reload = reload;
  }

  /** @param {Collection[]} collections @param {string | null} chosen */
  open(collections, chosen) {
    this.#show(collections, chosen);
    this.dialog.showModal();
  }

  /** @param {Collection[]} collections @param {string | null} chosen */
  #show(collections, chosen) {
    const wrong = element("p", { class: "wrong", role: "alert" });
    const name = /** @type {HTMLInputElement} */ (element("input", { type: "text", required: true, maxlength: 200, autocomplete: "off", placeholder: "holidays" }));
    const make = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#try(wrong, async () => {
        await api.makeCollection(name.value.trim());
        await this.reload();
        this.#choose(name.value.trim());
      });
    };
    this.dialog.replaceChildren(
      element("div", { class: "top" }, element("h2", { id: "collections-title" }, "Collections"),
        iconButton("close", "Close", { onclick: () => this.dialog.close() })),
      element("ul", { class: "collections" }, ...collections.map((collection) => this.#row(collection, chosen, wrong))),
      element("form", { class: "writing", onsubmit: make }, element("div", { class: "row" },
        element("label", { class: "field" }, "New collection", name),
        element("button", { type: "submit", class: "primary" }, "Make"))),
      wrong);
  }

  /** @param {Collection} collection @param {string | null} chosen @param {HTMLElement} wrong */
  #row(collection, chosen, wrong) {
    const { name } = collection;
    return element("li", {},
      element("button", { type: "button", class: "choose", "aria-current": name === chosen && "true", onclick: () => this.#choose(name) },
        icon("check"), element("span", {}, name), element("small", {}, sizeOf(collection))),
      iconButton("delete", `Delete ${name}`, { class: "icon-button writing", onclick: () => this.#delete(collection, chosen, wrong) }));
  }

  /** @param {string} name */
  #choose(name) {
    this.dialog.close();
    this.choose(name);
  }

  /** @param {Collection} collection @param {string | null} chosen @param {HTMLElement} wrong */
  async #delete({ name, photos }, chosen, wrong) {
    const text = `What was indexed of its ${counted(photos, "photo")} is deleted, and the photos that were added on this page. Photos in folders of the server stay where they are.`;
    if (!(await confirmed(`Delete “${name}”?`, text, "Delete"))) return;
    await this.#try(wrong, async () => {
      await api.deleteCollection(name);
      this.#show(await this.reload(), chosen === name ? null : chosen);
      /** @type {HTMLElement | null} */ (this.dialog.querySelector("button"))?.focus();
    });
  }

  /** @param {HTMLElement} wrong @param {() => Promise<void>} work */
  async #try(wrong, work) {
    wrong.textContent = "";
    try {
      await work();
    } catch (error) {
      wrong.textContent = /** @type {Error} */ (error).message;
    }
  }
}
