// The search box: a combobox over suggestions of the service.

import * as api from "./api.js";
import { at, element, icon } from "./elements.js";

const PAUSE = 90; // milliseconds without a key before suggestions are asked for
const COUNT = 8;

export class SearchBox {
  /** @param {() => string | null} collection that is searched @param {(text: string) => void} search
   * @param {() => void} clear */
  constructor(collection, search, clear) {
    this.collection = collection;
    this.search = search;
    /** @type {HTMLInputElement} */
    this.input = at("text");
    this.list = at("suggestions");
    this.chosen = -1;
    this.typed = "";
    this.waiting = 0;
    this.asking = new AbortController();
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("blur", () => this.close());
    at("search").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit(this.input.value);
    });
    at("clear").addEventListener("click", () => {
      this.value = "";
      this.input.focus();
      clear();
    });
  }

  /** @param {string} text */
  set value(text) {
    this.input.value = text;
    at("clear").hidden = text === "";
    this.close();
  }

  close() {
    window.clearTimeout(this.waiting);
    this.asking.abort();
    this.#show([]);
  }

  /** @param {string} text */
  #submit(text) {
    if (!text.trim()) return;
    this.value = text;
    this.search(text);
  }

  #typed() {
    this.typed = this.input.value;
    at("clear").hidden = this.typed === "";
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.#suggest(), PAUSE);
  }

  async #suggest() {
    const collection = this.collection();
    this.asking.abort();
    this.asking = new AbortController();
    if (collection === null || !this.typed.trim() || this.typed.length > 200) return this.#show([]);
    try {
      this.#show(await api.suggestions(collection, this.typed, COUNT, this.asking.signal));
    } catch {
      this.#show([]); // a search without suggestions is still one
    }
  }

  /** @param {string[]} texts */
  #show(texts) {
    this.chosen = -1;
    this.list.replaceChildren(...texts.map((text, number) => element("li", {
      role: "option", id: `suggestion-${number}`, "aria-selected": "false",
      onmousedown: (/** @type {Event} */ event) => event.preventDefault(), // the focus stays in the box
      onclick: () => this.#submit(text),
    }, icon("search"), element("span", {}, ...this.#emphasised(text)))));
    this.list.hidden = texts.length === 0;
    this.input.setAttribute("aria-expanded", String(texts.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  /** What is new in a suggestion stands out. @param {string} text */
  #emphasised(text) {
    const common = this.typed.toLowerCase();
    if (!text.toLowerCase().startsWith(common)) return [element("b", {}, text)];
    return [text.slice(0, common.length), element("b", {}, text.slice(common.length))];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const options = [...this.list.children];
    if (event.key === "Escape" && options.length) {
      event.preventDefault();
      this.close();
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    if (!options.length) return this.#typed();
    this.chosen = ((this.chosen + 1 + by + options.length + 1) % (options.length + 1)) - 1; // -1 is what was typed
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.chosen)));
    const option = options[this.chosen];
    this.input.value = option ? option.textContent ?? "" : this.typed;
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
}
