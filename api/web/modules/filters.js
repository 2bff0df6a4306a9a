// What photos must have to be found: tags, a day, and what they may not show.

import { at } from "./elements.js";

/** @typedef {{ tags: string[], from: string, to: string, without: string }} Filters */

/** @type {Filters} */
export const NO_FILTERS = { tags: [], from: "", to: "", without: "" };

/** @param {Filters} filters */
export const active = ({ tags, from, to, without }) => tags.length + Number(Boolean(from || to)) + Number(Boolean(without));

/** As the service takes them. @param {Filters} filters */
export function fieldsOf({ tags, from, to, without }) {
  const taken = from || to ? { ...(from && { from }), ...(to && { to }) } : undefined;
  const filter = tags.length || taken ? { ...(tags.length && { tags }), ...(taken && { taken }) } : undefined;
  return { filter, exclude: without ? { text: without } : undefined };
}

/** The tags of a text that has commas between them. @param {string} text */
export const tagsOf = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];

export class FilterForm {
  /** @param {(filters: Filters) => void} changed */
  constructor(changed) {
    this.form = at("filters");
    at("filter").addEventListener("click", () => this.#open(this.form.hidden));
    this.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      changed(this.#read());
    });
    this.form.addEventListener("reset", () => changed(NO_FILTERS));
  }

  /** @param {Filters} filters that are in force */
  show(filters) {
    at("filter-tags").value = filters.tags.join(", ");
    at("filter-from").value = filters.from;
    at("filter-to").value = filters.to;
    at("filter-without").value = filters.without;
    const count = active(filters);
    at("filter-count").hidden = count === 0;
    at("filter-count").textContent = String(count);
    if (count) this.#open(true);
  }

  /** @param {boolean} open */
  #open(open) {
    this.form.hidden = !open;
    at("filter").setAttribute("aria-expanded", String(open));
  }

  /** @returns {Filters} */
  #read() {
    return {
      tags: tagsOf(at("filter-tags").value),
      from: at("filter-from").value,
      to: at("filter-to").value,
      without: at("filter-without").value.trim(),
    };
  }
}
