// What the page says when there are no results to show: waiting, nothing there, something wrong.

import { at, drawn, element } from "./elements.js";

const RATIOS = [1.5, 0.8, 1.33, 1.5, 1, 1.33, 0.75, 1.5, 1.2, 1.5];

/** @param {string} text */
export const say = (text) => { at("status").textContent = text; };

export const placeholders = () => element("div", { class: "grid", "aria-hidden": "true" }, ...RATIOS.map((ratio) => {
  const place = element("div", { class: "card" }, element("div", { class: "waiting" }));
  place.style.setProperty("--ratio", String(ratio));
  return place;
}));

/** @param {unknown} error @param {() => void} again */
export function showError(error, again) {
  at("error").replaceChildren(element("p", {}, /** @type {Error} */ (error).message),
    element("button", { type: "button", onclick: again }, "Try again"));
  at("error").hidden = false;
}

export const hideError = () => { at("error").hidden = true; };

/** Says what makes an answer less than it should be, a sentence each. @param {string[]} warnings */
export function showWarnings(warnings) {
  at("warnings").replaceChildren(...warnings.map((warning) => element("p", {}, warning)));
  at("warnings").hidden = warnings.length === 0;
}

/** @param {string} title @param {string} text @param {HTMLElement[]} further */
const empty = (title, text, ...further) => element("div", { class: "empty" },
  drawn("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" },
    drawn("rect", { x: 1, y: 2, width: 9, height: 10, rx: 2 }), drawn("rect", { class: "lit", x: 7, y: 6, width: 8, height: 8, rx: 2 })),
  element("h2", {}, title), element("p", {}, text), ...further);

/** @param {string | null} collection @param {() => void} add */
export const noPhotos = (collection, add) => empty(
  collection === null ? "Nothing has been indexed yet" : `“${collection}” holds no photos`,
  "Add photos here, or index a folder of this server in a terminal and reload the page.",
  element("button", { type: "button", class: "primary writing", onclick: add }, "Add photos"),
  element("pre", {}, `dvsa index ~/Pictures --collection ${collection ?? "holidays"}`));

/** @param {boolean} filtered @param {() => void} clear */
export const nothingFound = (filtered, clear) => (filtered
  ? empty("Nothing found with these filters", "No photo has all of the tags, within the days, without what is left out.",
    element("button", { type: "button", onclick: clear }, "Clear the filters"))
  : empty("Nothing found", "Say it in other words, or search another collection."));
