// The state of the page in its address, so that a search can be reloaded, kept and gone back to.

import { NO_FILTERS, tagsOf } from "./filters.js";

/** @typedef {import("./types.js").Query} Query */

/**
 * What the page shows; without a query all photos of the collection, in a collection that is null nothing.
 * @typedef {{
 *   collection: string | null, query: Query | null, target: import("./types.js").Target,
 *   filters: import("./filters.js").Filters,
 * }} State
 */

/** @returns {State} */
export function read() {
  const said = new URLSearchParams(window.location.search);
  return {
    collection: said.get("collection"),
    query: queryOf(said),
    target: said.get("find") === "sentences" ? "sentences" : "images",
    filters: {
      ...NO_FILTERS,
      tags: tagsOf(said.get("tags") ?? ""),
      from: said.get("from") ?? "",
      to: said.get("to") ?? "",
      without: said.get("without") ?? "",
    },
  };
}

/** Puts a state into the address; a photo of the person's own has none. @param {State} state */
export function write({ collection, query, target, filters }) {
  const said = new URLSearchParams();
  if (collection !== null) said.set("collection", collection);
  if (query?.kind === "text") said.set("q", query.text);
  if (query?.kind === "photo" || query?.kind === "region") said.set("photo", String(query.id));
  if (query?.kind === "region") said.set("box", query.box.map((edge) => Math.round(edge)).join(","));
  if (target === "sentences") said.set("find", target);
  if (filters.tags.length) said.set("tags", filters.tags.join(","));
  for (const name of /** @type {const} */ (["from", "to", "without"])) if (filters[name]) said.set(name, filters[name]);
  const address = `?${said}`;
  if (address !== window.location.search) window.history.pushState(null, "", address);
}

/** @param {URLSearchParams} said @returns {Query | null} */
function queryOf(said) {
  const text = said.get("q");
  if (text) return { kind: "text", text };
  const id = Number(said.get("photo"));
  if (!Number.isSafeInteger(id) || id < 1) return null;
  const box = (said.get("box") ?? "").split(",").map(Number);
  if (box.length !== 4 || !box.every(Number.isFinite)) return { kind: "photo", id };
  return { kind: "region", id, box: /** @type {import("./types.js").Box} */ (box) };
}
