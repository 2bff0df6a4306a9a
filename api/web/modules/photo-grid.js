// Photos as a grid of rows, each as wide as the page, with captions and scores.

import * as api from "./api.js";
import { element } from "./elements.js";
import { Frame } from "./frame.js";
import { captionsOf, regionsOf, withCaptions } from "./regions.js";

/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./types.js").Region} Region */

const DWELL = 400; // milliseconds that the mouse rests on a photo before its regions are captioned
const SEEN_AT_ONCE = 12; // photos that are loaded without waiting for the page to be scrolled

export class PhotoGrid {
  /** @param {(photo: Photo) => void} open @param {(region: Region | null) => void} pointed told of a region of a photo */
  constructor(open, pointed = () => {}) {
    this.open = open;
    this.pointed = pointed;
    /** @type {Photo[]} */
    this.photos = [];
    /** @type {Frame[]} */
    this.frames = [];
    this.element = element("ol", { class: "grid" });
    this.element.addEventListener("keydown", (event) => this.#move(event));
  }

  /** @param {Photo[]} photos that follow those that are there */
  add(photos) {
    const before = this.photos.length;
    for (const photo of photos) this.element.append(this.#card(photo));
    if (before) /** @type {HTMLElement} */ (this.element.children[before]?.querySelector(".open")).focus();
  }

  /** Lights the regions of a word of the query in all photos. @param {import("./types.js").Word | null} word */
  light(word) {
    this.frames.forEach((frame, number) => {
      const words = this.photos[number].words ?? [];
      frame.show(word ? words.filter((other) => other.start === word.start).map((other) => other.box) : []);
    });
  }

  /** @param {Photo} photo */
  #card(photo) {
    const frame = new Frame(api.thumbnail(photo.id), photo.caption ?? photo.name, photo.width, photo.height);
    if (this.photos.length >= SEEN_AT_ONCE) frame.image.loading = "lazy";
    frame.regions = regionsOf(photo.words ?? []);
    frame.listen(this.pointed);
    captionWhenDwelt(frame, photo);
    this.photos.push(photo);
    this.frames.push(frame);
    const score = photo.score === undefined ? null
      : element("span", { class: "score", title: "score; higher is better" }, photo.score.toFixed(2));
    const card = element("li", { class: "card" },
      element("button", { type: "button", class: "open", onclick: () => this.open(photo) }, frame.element),
      element("p", { class: "caption" }, element("span", {}, photo.caption ?? photo.name), score));
    card.style.setProperty("--ratio", String(Math.min(Math.max(photo.width / photo.height, 0.5), 3)));
    return card;
  }

  /** The arrow keys lead from photo to photo. @param {KeyboardEvent} event */
  #move(event) {
    const buttons = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll(".open")]);
    const here = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = here < 0 ? undefined : neighbour(buttons, here, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}

/** The button that an arrow key leads to: beside this one, or the nearest in the row above or below.
 * @param {HTMLElement[]} buttons @param {number} here @param {string} key */
function neighbour(buttons, here, key) {
  if (key === "ArrowRight") return buttons[here + 1];
  if (key === "ArrowLeft") return buttons[here - 1];
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const from = buttons[here].getBoundingClientRect();
  const tops = buttons.map((button) => button.getBoundingClientRect().top);
  const other = key === "ArrowDown"
    ? Math.min(...tops.filter((top) => top > from.top + 1)) : Math.max(...tops.filter((top) => top < from.top - 1));
  const row = buttons.filter((_, number) => Math.abs(tops[number] - other) < 1);
  const away = (/** @type {HTMLElement} */ button) => Math.abs(button.getBoundingClientRect().left - from.left);
  return row.sort((a, b) => away(a) - away(b))[0];
}

/** @param {Frame} frame @param {Photo} photo */
function captionWhenDwelt(frame, photo) {
  let waiting = 0;
  frame.element.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "mouse") return;
    waiting = window.setTimeout(async () => {
      const captions = await captionsOf(photo.id).catch(() => null); // a server without a captioner: words alone
      if (captions) frame.regions = withCaptions(regionsOf(photo.words ?? []), captions.regions);
    }, DWELL);
  });
  frame.element.addEventListener("pointerleave", () => window.clearTimeout(waiting));
}
