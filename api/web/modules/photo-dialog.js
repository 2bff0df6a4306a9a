// One photo, large: what it shows, its regions, its tags, and a box drawn on it to search by.

import * as api from "./api.js";
import { BoxDrawing } from "./box-drawing.js";
import { at, element, icon, iconButton } from "./elements.js";
import { Frame } from "./frame.js";
import { captionsOf, regionsOf, saying, withCaptions } from "./regions.js";
import { tagEditor } from "./tag-editor.js";
import { Words } from "./words.js";

/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./types.js").Region} Region */
/** @typedef {(query: import("./types.js").Query, target: import("./types.js").Target) => void} Ask */

const DWELL = 250; // milliseconds that a photo is looked at before its regions are captioned

export class PhotoDialog {
  /** @param {Ask} ask searches by the photo, or by a part of it */
  constructor(ask) {
    this.dialog = at("photo");
    this.ask = ask;
    /** @type {Photo[]} */
    this.photos = [];
    this.here = 0;
    this.text = "";
    this.dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /** @param {Photo[]} photos among which the arrow keys go @param {Photo} photo that is shown @param {string} text the
   * query that found them */
  open(photos, photo, text) {
    this.photos = photos;
    this.text = text;
    this.#show(photos.indexOf(photo));
    this.dialog.showModal();
    this.dialog.querySelector(".close").focus();
  }

  /** @param {number} place */
  #show(place) {
    this.here = place;
    const photo = this.photos[place];
    const frame = new Frame(api.bytes(photo.id), photo.caption ?? photo.name, photo.width, photo.height);
    const drawing = new BoxDrawing(frame, (box, target) => this.#ask({ kind: "region", id: photo.id, box }, target));
    const regions = element("ul", { class: "regions" });
    this.#list(frame, regions, regionsOf(photo.words ?? []));
    drawing.listen();
    frame.listen();
    this.dialog.replaceChildren(this.#stage(frame), this.#about(photo, frame, drawing, regions));
    this.#caption(photo, frame, regions);
  }

  /** @param {Frame} frame */
  #stage(frame) {
    const step = (/** @type {number} */ by) => () => this.#step(by);
    return element("div", { class: "stage" }, frame.element,
      this.here > 0 && iconButton("left", "The photo before", { class: "icon-button before", onclick: step(-1) }),
      this.here < this.photos.length - 1 && iconButton("right", "The next photo", { class: "icon-button after", onclick: step(1) }));
  }

  /** @param {Photo} photo @param {Frame} frame @param {BoxDrawing} drawing @param {HTMLElement} regions */
  #about(photo, frame, drawing, regions) {
    const words = photo.words?.length
      ? new Words(this.text, photo.words, (word) => frame.show(word ? [word.box] : [])).element : null;
    const ask = (/** @type {import("./types.js").Target} */ target) => () => this.#ask({ kind: "photo", id: photo.id }, target);
    return element("div", { class: "about" },
      element("div", { class: "top" }, element("h2", { id: "photo-name", class: "name" }, photo.name),
        iconButton("close", "Close", { class: "icon-button close", onclick: () => this.dialog.close() })),
      photo.caption && element("p", { class: "saying" }, photo.caption),
      words && element("section", {}, element("h3", {}, "Words of the query"), words),
      element("section", {}, element("h3", {}, "Search by this photo"), element("div", { class: "actions" },
        element("button", { type: "button", onclick: ask("images") }, icon("photo"), "Photos like it"),
        element("button", { type: "button", onclick: ask("sentences") }, icon("sentences"), "Sentences for it"))),
      drawing.controls,
      element("section", {}, element("h3", {}, "Regions"), regions),
      tagEditor(photo));
  }

  /** @param {Photo} photo @param {Frame} frame @param {HTMLElement} regions */
  async #caption(photo, frame, regions) {
    const note = element("li", { class: "hint" }, "Looking closer…");
    regions.append(note);
    await new Promise((resolve) => window.setTimeout(resolve, DWELL));
    if (!frame.element.isConnected || !this.dialog.open) return; // the person has gone on
    try {
      const { regions: captions } = await captionsOf(photo.id);
      this.#list(frame, regions, withCaptions(frame.regions, captions));
    } catch (error) {
      note.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {Frame} frame @param {HTMLElement} list @param {Region[]} regions */
  #list(frame, list, regions) {
    frame.regions = regions;
    list.replaceChildren(...regions.map((region) => {
      const { words, caption } = saying(region);
      const show = () => frame.showRegion(region);
      const leave = () => frame.showRegion(null);
      return element("li", {}, element("button", {
        type: "button", onmouseenter: show, onfocus: show, onclick: show, onmouseleave: leave, onblur: leave,
      }, words && element("b", {}, words), caption && element("span", {}, caption)));
    }));
  }

  /** @param {import("./types.js").Query} query @param {import("./types.js").Target} target */
  #ask(query, target) {
    this.dialog.close();
    this.ask(query, target);
  }

  /** @param {number} by */
  #step(by) {
    const next = this.here + by;
    if (next < 0 || next >= this.photos.length) return;
    this.#show(next);
    (this.dialog.querySelector(by < 0 ? ".before" : ".after") ?? this.dialog.querySelector(".close")).focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const used = event.target instanceof HTMLInputElement || (event.target instanceof Element && event.target.closest(".drawing"));
    if (used) return;
    if (event.key === "ArrowLeft") this.#step(-1);
    if (event.key === "ArrowRight") this.#step(1);
  }
}
