// A box drawn on a photo, by mouse, finger or keys, and the searches by it.

import { drawn, element, icon } from "./elements.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Target} Target */

const SMALLEST = 8; // pixels of the photo; less is a click, not a box
const STEP = 0.03; // of the photo's side, that an arrow key moves or stretches the box by

export class BoxDrawing {
  /** @param {import("./frame.js").Frame} frame @param {(box: Box, target: Target) => void} search */
  constructor(frame, search) {
    this.frame = frame;
    /** @type {Box | null} */
    this.box = null;
    this.canvas = drawn("svg", {
      class: "drawing", viewBox: `0 0 ${frame.width} ${frame.height}`, preserveAspectRatio: "none", tabindex: "0", role: "application",
      "aria-label": "Box on the photo: the arrow keys move it, with Shift they stretch it, Enter searches by it",
    });
    const button = (/** @type {string} */ picture, /** @type {string} */ text, /** @type {Target} */ target) =>
      element("button", { type: "button", onclick: () => this.box && search(this.box, target) }, icon(picture), text);
    this.searches = element("div", { class: "actions", hidden: true },
      button("photo", "Photos with this", "images"), button("sentences", "Sentences for this", "sentences"));
    this.hint = element("p", { class: "hint by-mouse" }, "Drag over a part of the photo to search by it.");
    this.controls = element("section", {}, element("h3", {}, "Search by a part"), this.hint, this.searches,
      element("div", {}, element("button", { type: "button", onclick: () => this.#start() }, icon("box"), "Draw a box")));
    this.search = search;
    frame.element.append(this.canvas);
  }

  listen() {
    /** @type {[number, number] | null} */
    let from = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" && !this.canvas.classList.contains("by-touch")) return;
      from = this.frame.place(event);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const to = this.frame.place(event);
      this.#set([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])]);
    });
    this.canvas.addEventListener("pointerup", () => {
      from = null;
      if (this.box && (this.box[2] - this.box[0] < SMALLEST || this.box[3] - this.box[1] < SMALLEST)) this.#set(null);
    });
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Begins with a box in the middle, for keys and fingers. */
  #start() {
    const { width, height } = this.frame;
    this.#set([width / 4, height / 4, (3 * width) / 4, (3 * height) / 4]);
    this.canvas.classList.add("by-touch");
    this.canvas.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === "Enter" && this.box) this.search(this.box, "images");
    if (!x && !y) return;
    event.preventDefault();
    if (!this.box) return this.#start();
    const { width, height } = this.frame;
    this.#set(event.shiftKey ? stretched(this.box, x * STEP * width, y * STEP * height, width, height)
      : moved(this.box, x * STEP * width, y * STEP * height, width, height));
  }

  /** @param {Box | null} box */
  #set(box) {
    this.box = box;
    this.searches.hidden = box === null;
    this.hint.hidden = box !== null;
    this.frame.show([]);
    this.canvas.replaceChildren(...(box ? [drawn("rect", {
      x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1],
    })] : []));
  }
}

/** @param {Box} box @param {number} x @param {number} y @param {number} width @param {number} height @returns {Box} */
function moved([x0, y0, x1, y1], x, y, width, height) {
  const right = Math.min(Math.max(x, -x0), width - x1);
  const down = Math.min(Math.max(y, -y0), height - y1);
  return [x0 + right, y0 + down, x1 + right, y1 + down];
}

/** Moves the lower right corner. @param {Box} box @param {number} x @param {number} y @param {number} width
 * @param {number} height @returns {Box} */
function stretched([x0, y0, x1, y1], x, y, width, height) {
  return [x0, y0, Math.min(Math.max(x1 + x, x0 + SMALLEST), width), Math.min(Math.max(y1 + y, y0 + SMALLEST), height)];
}
