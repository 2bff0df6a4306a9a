// Sentences that were found; those found for a photo light their words' regions in it.

import { element } from "./elements.js";
import { Words } from "./words.js";

/** @typedef {import("./types.js").SentenceHit} SentenceHit */

export class SentenceList {
  /** @param {import("./frame.js").Frame | null} frame of the photo that was asked */
  constructor(frame) {
    this.frame = frame;
    this.element = element("ol", { class: "sentences" });
  }

  /** @param {SentenceHit[]} hits that follow those that are there */
  add(hits) {
    const frame = this.frame;
    for (const hit of hits) {
      const text = frame ? new Words(hit.text, hit.words, (word) => frame.show(word ? [word.box] : [])).element : hit.text;
      this.element.append(element("li", {}, element("p", { class: "sentence" }, text),
        element("p", { class: "meta" }, element("span", {}, hit.document),
          element("span", { class: "score", title: "score; higher is better" }, hit.score.toFixed(2)))));
    }
  }
}
