// A text whose words can be pointed at.

import { element } from "./elements.js";

/** @typedef {import("./types.js").Word} Word */

export class Words {
  /** A word that is pointed at, or that the Tab key leads to, is told to `light`, null when there is none any more. A
   * click or the Enter key keeps a word lit, for those who cannot point.
   * @param {string} text @param {Word[]} words that have a region @param {(word: Word | null) => void} light */
  constructor(text, words, light) {
    this.light = light;
    /** @type {Word | null} */
    this.kept = null;
    /** @type {[Word, HTMLElement][]} */
    this.buttons = [];
    const letters = [...text]; // the service counts characters, JavaScript halves of them
    const parts = [];
    let place = 0;
    for (const word of words) {
      const button = this.#button(word, letters.slice(word.start, word.end).join(""));
      parts.push(letters.slice(place, word.start).join(""), button);
      this.buttons.push([word, button]);
      place = word.end;
    }
    this.element = element("span", { class: "words" }, ...parts, letters.slice(place).join(""));
  }

  /** Shows which words are lit. @param {number[]} starts where they begin in the text */
  mark(starts) {
    for (const [word, button] of this.buttons) button.classList.toggle("lit", starts.includes(word.start));
  }

  /** @param {Word} word @param {string} text */
  #button(word, text) {
    const show = (/** @type {Word | null} */ shown) => {
      this.mark(shown ? [shown.start] : []);
      this.light(shown);
    };
    const button = element("button", {
      type: "button", class: "word", "aria-pressed": "false",
      onmouseenter: () => show(word), onmouseleave: () => show(this.kept),
      onfocus: () => show(word), onblur: () => show(this.kept),
      onclick: () => {
        this.kept = this.kept === word ? null : word;
        for (const [other, made] of this.buttons) made.setAttribute("aria-pressed", String(other === this.kept));
        show(word);
      },
    }, text);
    return button;
  }
}
