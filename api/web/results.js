// What a search found, as elements.

import * as api from "./api.js";
import { element, framedPhoto, wordsOf } from "./elements.js";

const score = (hit) => `score ${hit.score.toFixed(2)}`;

// Cards of photos; `open` is called with the photo that is chosen. `light(word)` lights a word of the query in all.
export function photoGrid(photos, open) {
  const frames = [];
  const cards = photos.map((photo) => {
    const frame = framedPhoto(api.thumbnail(photo.id), photo.caption ?? photo.name, photo.width, photo.height);
    frames.push([frame, photo.words ?? []]);
    const meta = element("p", { class: "meta" }, element("span", {}, photo.name));
    if (photo.score !== undefined) meta.append(element("span", {}, score(photo)));
    return element("li", { class: "card" }, element("figure", {},
      element("button", { type: "button", class: "open", onclick: () => open(photo) }, frame),
      element("figcaption", {}, photo.caption ? element("p", { class: "caption" }, photo.caption) : null, meta)));
  });
  const grid = element("ol", { class: "grid" }, ...cards);
  grid.light = (word) => {
    for (const [frame, words] of frames) frame.light(word === null ? [] : boxesOf(word, words));
  };
  return grid;
}

// The photo that was asked, beside the sentences that it found, whose words light up in it.
export function photoWithSentences(shown, answer) {
  const found = answer.hits.map((hit) => sentence(hit, wordsOf(hit.text, hit.words, (word) => {
    shown.frame.light(word === null ? [] : [word.box]);
  })));
  return element("div", { class: "asked" }, shown.card, element("ol", { class: "sentences" }, ...found));
}

export const sentenceList = (answer) =>
  element("ol", { class: "sentences" }, ...answer.hits.map((hit) => sentence(hit, hit.text)));

const sentence = (hit, text) => element("li", {}, text,
  element("p", { class: "meta" }, element("span", {}, hit.document), element("span", {}, score(hit))));

// The photo that was asked, with its caption.
export function askedPhoto(image, address, caption) {
  const frame = framedPhoto(address, caption ?? "the query photo", image.width, image.height);
  const said = caption ? element("p", { class: "caption" }, caption) : null;
  const note = element("p", { class: "meta" }, "the photo that you asked with");
  return { frame, card: element("figure", { class: "card" }, frame, element("figcaption", {}, said, note)) };
}

// The words of a query, which light their regions in every photo of a grid.
export function queryWords(text, answer, grid) {
  const words = answer.hits[0]?.words ?? [];
  const line = element("p", {}, wordsOf(text, words, grid.light));
  const hint = "Point at a word, or move to it with the Tab key, to see its region in every photo.";
  return [line, words.length ? element("p", { class: "hint" }, hint) : null].filter(Boolean);
}

// One photo, large, with the words of the query that found it.
export function largePhoto(photo, text, actions) {
  const frame = framedPhoto(api.photo(photo.id), photo.caption ?? photo.name, photo.width, photo.height);
  const words = photo.words?.length
    ? wordsOf(text, photo.words, (word) => frame.light(word === null ? [] : [word.box])) : null;
  return [
    element("div", { class: "top" }, element("h2", { id: "photo-name" }, photo.name),
      element("button", { type: "button", onclick: actions.close }, "Close")),
    frame,
    ...(photo.caption ? [element("p", {}, photo.caption)] : []),
    ...(words ? [words] : []),
    element("div", { class: "actions" },
      element("button", { type: "button", onclick: () => actions.search("images") }, "Photos like this"),
      element("button", { type: "button", onclick: () => actions.search("sentences") }, "Sentences for this")),
  ];
}

export function nothingIndexed(collection) {
  return element("div", { class: "empty" },
    element("h2", {}, collection === null ? "Nothing has been indexed yet" : "This collection holds no photos"),
    element("p", {}, "Index a folder of photos in a terminal, then reload this page:"),
    element("pre", {}, `dvsa index ~/Pictures --collection ${collection ?? "holidays"}`));
}

export const placeholders = () => element("div", { class: "grid", "aria-hidden": "true" },
  ...Array.from({ length: 8 }, () => element("div", { class: "waiting" })));

// The boxes of the word of another hit that stands at the same place of the query.
const boxesOf = (word, words) => words.filter((other) => other.start === word.start).map((other) => other.box);
