// A photo under a light: the lit regions stay as they are, the rest of the photo grows dim.

import { drawn, element } from "./elements.js";
import { regionAt, saying } from "./regions.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Region} Region */

export class Frame {
  /** @param {string} source @param {string} description @param {number} width @param {number} height pixels of the
   * upright photo */
  constructor(source, description, width, height) {
    this.width = width;
    this.height = height;
    /** @type {Region[]} */
    this.regions = [];
    this.image = /** @type {HTMLImageElement} */ (element("img", { src: source, alt: description, width, height, decoding: "async" }));
    this.light = drawn("svg", { class: "light", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.label = element("span", { class: "region-label", hidden: true });
    this.element = element("span", { class: "frame" }, this.image, this.light, this.label);
    this.element.style.setProperty("--ratio", String(width / height));
    this.image.addEventListener("load", () => this.element.classList.add("loaded"));
    this.image.addEventListener("error", () => {
      this.element.replaceChildren(element("span", { class: "gone" }, "The file has changed or is gone; index it again."));
    });
  }

  /** Lights boxes and no others; none: the photo is as it was. @param {Box[]} boxes */
  show(boxes) {
    this.label.hidden = true;
    if (boxes.length === 0) {
      this.light.replaceChildren();
      return;
    }
    const whole = `M0 0H${this.width}V${this.height}H0Z`;
    const holes = boxes.map(([x0, y0, x1, y1]) => `M${x0} ${y0}V${y1}H${x1}V${y0}Z`).join("");
    const outlines = boxes.map(([x0, y0, x1, y1]) => drawn("rect", { class: "lit", x: x0, y: y0, width: x1 - x0, height: y1 - y0 }));
    this.light.replaceChildren(drawn("path", { class: "dim", d: whole + holes }), ...outlines);
  }

  /** Lights a region and says what it is. @param {Region | null} region */
  showRegion(region) {
    this.show(region ? [region.box] : []);
    if (!region) return;
    const { words, caption } = saying(region);
    this.label.replaceChildren(...[words && element("b", {}, words), caption && element("span", {}, caption)].filter(Boolean));
    this.label.hidden = !words && !caption;
    const [x0, y0, , y1] = region.box;
    const above = y0 / this.height > 0.25;
    this.label.classList.toggle("above", above);
    this.label.style.left = `${Math.min((100 * x0) / this.width, 60)}%`;
    this.label.style.top = above ? `${(100 * y0) / this.height}%` : `${Math.min((100 * y1) / this.height, 82)}%`;
  }

  /** Where on the photo an event happened, in its pixels. @param {MouseEvent} event @returns {[number, number]} */
  place(event) {
    const { left, top, width, height } = this.image.getBoundingClientRect();
    const within = (/** @type {number} */ part, /** @type {number} */ side) => Math.min(Math.max(part, 0), 1) * side;
    return [within((event.clientX - left) / width, this.width), within((event.clientY - top) / height, this.height)];
  }

  /** Lights the region that the mouse points at. @param {(region: Region | null) => void} [told] of it */
  listen(told = () => {}) {
    /** @type {Region | null} */
    let pointed = null;
    const point = (/** @type {Region | null} */ region) => {
      if (region === pointed) return;
      pointed = region;
      this.showRegion(region);
      told(region);
    };
    this.element.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && event.buttons === 0) point(regionAt(this.regions, ...this.place(event)));
    });
    this.element.addEventListener("pointerleave", () => point(null));
  }
}
