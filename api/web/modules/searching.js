// Searches: asks the service, shows that it is asked, shows what it found, page after page.

import * as api from "./api.js";
import { at, counted, element } from "./elements.js";
import { active, fieldsOf } from "./filters.js";
import { PhotoGrid } from "./photo-grid.js";
import { askedPhoto, askedText, clearButton, examples, photoOf, showQuery } from "./query-bar.js";
import { SentenceList } from "./sentence-list.js";
import * as states from "./states.js";
import { Words } from "./words.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./types.js").Query} Query */

const PAGE = 24; // hits of a page
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];
const EXAMPLES = 4;

/**
 * What a person can do from the results.
 * @typedef {{
 *   open: (photos: Photo[], photo: Photo, text: string) => void, search: (text: string) => void, clear: () => void,
 *   clearFilters: () => void, add: () => void,
 * }} Actions
 */

export class Searching {
  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.running = new AbortController();
  }

  /** Shows a state; what went on before is ended. @param {State} state @param {string} about the collection */
  async show(state, about) {
    this.running.abort();
    const { signal } = (this.running = new AbortController());
    states.hideError();
    states.showWarnings([]);
    at("more").hidden = true;
    showQuery();
    at("results").replaceChildren(states.placeholders());
    at("results").setAttribute("aria-busy", "true");
    states.say(state.query ? "Searching…" : "Loading…");
    try {
      await (state.query ? this.#find(state, state.query, signal) : this.#list(state, about, signal));
    } catch (error) {
      if (signal.aborted) return;
      at("results").replaceChildren();
      states.say("");
      states.showError(error, () => this.show(state, about));
    }
    if (!signal.aborted) at("results").removeAttribute("aria-busy");
  }

  /** @param {State} state @param {string} about @param {AbortSignal} signal */
  async #list({ collection }, about, signal) {
    const none = () => at("results").replaceChildren(states.noPhotos(collection, this.actions.add));
    states.say(about);
    if (collection === null) return none();
    const page = await api.photosOf(collection, 0, PAGE, signal);
    if (page.photos.length === 0) return none();
    const grid = new PhotoGrid((photo) => this.actions.open(grid.photos, photo, ""));
    grid.add(page.photos);
    at("results").replaceChildren(grid.element);
    this.#offerMore(page.after, (after) => api.photosOf(collection, after, PAGE, signal), (next) => {
      grid.add(next.photos);
      return next.after;
    });
    const texts = await api.suggestions(collection, "", EXAMPLES, signal).catch(() => []);
    if (!signal.aborted && texts.length) showQuery(examples(texts, this.actions.search));
  }

  /** @param {State} state @param {Query} query @param {AbortSignal} signal */
  async #find(state, query, signal) {
    const asked = query.kind === "text" ? null : photoOf(query);
    asked?.catch(() => {}); // it is waited for below
    if (query.kind === "file" && !TYPES.includes(query.file.type)) throw new Error("This is not a photo (JPEG, PNG, WebP or GIF).");
    const fields = { collection: state.collection, target: state.target, k: PAGE, ...fieldsOf(state.filters) };
    const ask = await asking(query, fields, signal);
    const answer = await ask(undefined);
    const photo = await asked;
    if (signal.aborted) return;
    states.showWarnings(answer.warnings);
    const add = state.target === "images" ? this.#photos(query, answer, photo) : this.#sentences(query, answer, photo);
    if (answer.hits.length === 0) {
      at("results").replaceChildren(states.nothingFound(active(state.filters) > 0, this.actions.clearFilters));
    }
    let found = answer.hits.length;
    const tell = (/** @type {string | null} */ cursor) =>
      states.say(`${counted(found, state.target === "images" ? "photo" : "sentence")}${cursor ? ", there are more" : ""}`);
    tell(answer.cursor);
    this.#offerMore(answer.cursor, ask, (next) => {
      add(next.hits);
      found += next.hits.length;
      tell(next.cursor);
      return next.cursor;
    });
  }

  /** @param {Query} query @param {Answer} answer
   * @param {{ frame: import("./frame.js").Frame, note: string } | null} photo */
  #photos(query, answer, photo) {
    const text = query.kind === "text" ? query.text : "";
    const hits = /** @type {Photo[]} */ (answer.hits);
    const words = new Words(text, hits[0]?.words ?? [], (word) => grid.light(word));
    const grid = new PhotoGrid((chosen) => this.actions.open(grid.photos, chosen, text), (region) => words.mark(region?.starts ?? []));
    grid.add(hits);
    at("results").replaceChildren(grid.element);
    showQuery(photo ? askedPhoto(photo.frame, photo.note, answer.caption, this.actions.clear) : askedText(words, answer.not_understood));
    return (/** @type {any[]} */ more) => grid.add(more);
  }

  /** @param {Query} query @param {Answer} answer
   * @param {{ frame: import("./frame.js").Frame, note: string } | null} photo */
  #sentences(query, answer, photo) {
    const list = new SentenceList(photo?.frame ?? null);
    list.add(/** @type {import("./types.js").SentenceHit[]} */ (answer.hits));
    if (photo) {
      const caption = element("figcaption", {}, element("div", {}, answer.caption && element("p", {}, answer.caption),
        element("p", { class: "hint" }, photo.note)), clearButton(this.actions.clear));
      at("results").replaceChildren(element("div", { class: "beside" }, element("figure", {}, photo.frame.element, caption), list.element));
    } else {
      at("results").replaceChildren(list.element);
      showQuery(askedText(new Words(query.kind === "text" ? query.text : "", [], () => {}), answer.not_understood));
    }
    return (/** @type {any[]} */ more) => list.add(more);
  }

  /** @template Place, Page @param {Place | null | undefined} place where the next page begins
   * @param {(place: Place) => Promise<Page>} ask @param {(page: Page) => Place | null | undefined} take */
  #offerMore(place, ask, take) {
    const more = /** @type {HTMLButtonElement} */ (at("more"));
    more.hidden = place === null || place === undefined;
    more.onclick = async () => {
      more.disabled = true;
      states.hideError();
      try {
        this.#offerMore(take(await ask(/** @type {Place} */ (place))), ask, take);
      } catch (error) {
        states.showError(error, () => more.click());
      } finally {
        more.disabled = false;
      }
    };
  }
}

/** Prepares a query, so that its pages can be asked for one by one.
 * @param {Query} query @param {Record<string, any>} fields @param {AbortSignal} signal
 * @returns {Promise<(cursor: string | undefined) => Promise<Answer>>} */
async function asking(query, fields, signal) {
  if (query.kind === "text") return (cursor) => api.searchText({ ...fields, text: query.text, cursor }, signal);
  if (query.kind === "region") {
    return (cursor) => api.searchRegion({ ...fields, photo_id: query.id, box: query.box, cursor }, signal);
  }
  const file = query.kind === "file" ? query.file : await api.fileOf(query.id, signal);
  return (cursor) => api.searchPhoto(file, { ...fields, cursor }, signal);
}
