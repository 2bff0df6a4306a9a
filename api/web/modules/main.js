// The page: its state, and how its parts act on one another.

import * as address from "./address.js";
import * as api from "./api.js";
import { CollectionsDialog, sizeOf } from "./collections-dialog.js";
import { listenForPhotos } from "./dropping.js";
import { at } from "./elements.js";
import { FilterForm, NO_FILTERS } from "./filters.js";
import { listenForKeys } from "./keys-dialog.js";
import { PhotoDialog } from "./photo-dialog.js";
import { SearchBox } from "./search-box.js";
import { Searching } from "./searching.js";
import * as session from "./session.js";
import { showError } from "./states.js";
import { listenForTheme } from "./theme-switch.js";
import { Tray } from "./tray.js";
import { UploadDialog } from "./upload-dialog.js";

/** @typedef {import("./types.js").Query} Query */
/** @typedef {import("./types.js").Target} Target */

let state = address.read();
/** @type {import("./types.js").Collection[]} */
let collections = [];

const viewer = new PhotoDialog((query, target) => go({ query, target }));
const searching = new Searching({
  open: (photos, photo, text) => viewer.open(photos, photo, text),
  search: (text) => go({ query: { kind: "text", text } }),
  clear: () => go({ query: null }),
  clearFilters: () => go({ filters: NO_FILTERS }),
  add: () => uploads.open(collections, state.collection),
});
const box = new SearchBox(() => state.collection, (text) => go({ query: { kind: "text", text } }), () => go({ query: null }));
const filters = new FilterForm((chosen) => go({ filters: chosen }));
const tray = new Tray(async (job) => {
  await readCollections();
  if (job.collection === state.collection && state.query === null) show();
  if (state.collection === null) go({ collection: job.collection });
});
const uploads = new UploadDialog(send);
const chooser = new CollectionsDialog((name) => go({ collection: name }), async () => {
  await readCollections();
  if (!collections.some(({ name }) => name === state.collection)) go({ collection: collections[0]?.name ?? null, query: null });
  return collections;
});

/** Changes the state, the address with it, and shows it. @param {Partial<address.State>} change */
function go(change) {
  state = { ...state, ...change };
  address.write(state);
  box.value = asked();
  show();
}

const asked = () => (state.query?.kind === "text" ? state.query.text : "");

function show() {
  const collection = collections.find(({ name }) => name === state.collection);
  filters.show(state.filters);
  /** @type {HTMLInputElement} */ (document.querySelector(`input[name=target][value=${state.target}]`)).checked = true;
  at("collection-name").textContent = state.collection ?? "none";
  at("collection").disabled = false;
  searching.show(state, collection ? sizeOf(collection) : "");
}

async function readCollections() {
  collections = await api.collections();
}

/** Sends photos to a collection, which is made if it is not there. @type {import("./upload-dialog.js").Send} */
async function send(photos, collection, tags) {
  await tray.send(photos, collection, tags, async () => {
    await readCollections();
    if (!collections.some(({ name }) => name === collection)) await api.makeCollection(collection);
  });
}

/** One photo is searched by, several are added. @param {File[]} files */
function take(files) {
  if (at("upload").open || files.length > 1 || state.collection === null) uploads.open(collections, state.collection, files);
  else if (!document.querySelector("dialog[open]")) go({ query: { kind: "file", file: files[0] }, target: firstTarget() });
}

/** A photo is asked for sentences where there are any. @returns {Target} */
function firstTarget() {
  return collections.find(({ name }) => name === state.collection)?.sentences ? "sentences" : "images";
}

function listen() {
  listenForTheme();
  listenForPhotos(take);
  listenForKeys(() => box.input.focus());
  at("collection").addEventListener("click", () => chooser.open(collections, state.collection));
  at("add").addEventListener("click", () => uploads.open(collections, state.collection));
  for (const radio of document.querySelectorAll("input[name=target]")) {
    radio.addEventListener("change", () => go({ target: /** @type {Target} */ (/** @type {HTMLInputElement} */ (radio).value) }));
  }
  window.addEventListener("popstate", () => {
    state = address.read();
    state.collection ??= collections[0]?.name ?? null;
    box.value = asked();
    show();
  });
}

async function start() {
  at("error").hidden = true;
  try {
    await session.begin();
    await readCollections();
  } catch (error) {
    showError(error, start);
    return;
  }
  state.collection ??= collections[0]?.name ?? null;
  if (asked()) box.value = asked(); // else what was typed meanwhile stays
  show();
  tray.resume();
}

api.whenKeyIsWanted(session.askForKey);
listen();
start();
