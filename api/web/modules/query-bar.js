// What was asked, above what was found: words that can be pointed at, or the photo, or examples of what to ask.

import * as api from "./api.js";
import { at, element, iconButton } from "./elements.js";
import { Frame } from "./frame.js";
import { Words } from "./words.js";

/** @param {...(Node | null)} children */
export function showQuery(...children) {
  at("query").replaceChildren(...children.filter((child) => child !== null));
  at("query").hidden = children.length === 0;
}

/** @param {Words} words @param {string[]} unknown */
export const askedText = (words, unknown) => element("p", {}, words.element,
  unknown.length > 0 && element("span", { class: "hint" }, " Not understood: ", element("span", { class: "unknown" }, unknown.join(", "))));

/** @param {Frame} frame @param {string} note @param {string | null} caption @param {() => void} close */
export const askedPhoto = (frame, note, caption, close) => element("figure", { class: "asked" }, frame.element,
  element("figcaption", { class: "said" }, caption && element("p", {}, caption), element("p", { class: "hint" }, note)),
  clearButton(close));

/** @param {() => void} close */
export const clearButton = (close) => iconButton("close", "Clear the search", { onclick: close });

/** Some of what the collection says, to be searched for. @param {string[]} texts @param {(text: string) => void} search */
export const examples = (texts, search) => element("p", { class: "try" }, element("span", { class: "hint" }, "Try"),
  ...texts.map((text) => element("button", { type: "button", onclick: () => search(text) }, text)));

/** The photo of a query, and what it is called. @param {import("./types.js").Query} query
 * @returns {Promise<{ frame: Frame, note: string }>} */
export async function photoOf(query) {
  if (query.kind === "file") {
    const bitmap = await createImageBitmap(query.file);
    const frame = new Frame(URL.createObjectURL(query.file), "the photo that was asked", bitmap.width, bitmap.height);
    const release = () => URL.revokeObjectURL(frame.image.src);
    frame.image.addEventListener("load", release);
    frame.image.addEventListener("error", release);
    return { frame, note: "Your photo" };
  }
  if (query.kind === "text") throw new TypeError("a text has no photo");
  const photo = await api.photo(query.id);
  const frame = new Frame(api.bytes(photo.id), photo.caption ?? photo.name, photo.width, photo.height);
  if (query.kind === "region") frame.show([query.box]);
  return { frame, note: query.kind === "region" ? `A part of ${photo.name}` : photo.name };
}
