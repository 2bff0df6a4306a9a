// The page: what is asked, and what is shown.

import * as api from "./api.js";
import * as results from "./results.js";

const at = (id) => document.getElementById(id);
const HITS = 24;
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];

let running = new AbortController();
let listed = []; // photos shown while nothing is asked
let asked = null; // address of the query photo

const collection = () => at("collection").value;
const target = () => document.querySelector("input[name=target]:checked").value;

function say(text) {
  at("status").textContent = text;
}

function fail(error) {
  if (error.name === "AbortError") return;
  at("results").replaceChildren();
  say("");
  at("error").textContent = error.message;
  at("error").hidden = false;
}

// Shows that work goes on, ends what went on before, and shows what the work gives, or why it failed.
async function show(what, work) {
  running.abort();
  const mine = (running = new AbortController());
  at("error").hidden = true;
  at("more").hidden = true;
  at("query").hidden = true;
  at("results").replaceChildren(results.placeholders());
  at("results").setAttribute("aria-busy", "true");
  say(what);
  try {
    await work(mine.signal, () => mine.signal.aborted);
  } catch (error) {
    if (!mine.signal.aborted) fail(error);
  } finally {
    if (!mine.signal.aborted) at("results").removeAttribute("aria-busy");
  }
}

const found = (answer) => {
  const kind = answer.target === "images" ? "photo" : "sentence";
  const unknown = answer.not_understood.length ? `; not understood: ${answer.not_understood.join(", ")}` : "";
  say(`${answer.hits.length} ${kind}${answer.hits.length === 1 ? "" : "s"}${unknown}`);
};

function showQuery(...elements) {
  at("query").replaceChildren(...elements);
  at("query").hidden = false;
}

const searchText = () => show("Searching…", async (signal) => {
  const text = at("text").value;
  const query = { text, collection: collection(), target: target(), k: HITS };
  const answer = await api.searchText(query, signal);
  found(answer);
  if (answer.target === "sentences") {
    at("results").replaceChildren(results.sentenceList(answer));
    return;
  }
  const grid = results.photoGrid(answer.hits, (photo) => openPhoto(photo, text));
  at("results").replaceChildren(grid);
  showQuery(...results.queryWords(text, answer, grid));
});

const searchPhoto = (photo, wanted) => show("Looking at the photo…", async (signal, stale) => {
  if (!TYPES.includes(photo.type)) throw new Error("This is not a photo (JPEG, PNG, WebP or GIF).");
  at("text").value = "";
  const query = { collection: collection(), target: wanted, k: HITS };
  const answer = await api.searchPhoto(photo, query, signal);
  const image = await createImageBitmap(photo);
  if (stale()) return;
  if (asked !== null) URL.revokeObjectURL(asked);
  asked = URL.createObjectURL(photo);
  const shown = results.askedPhoto(image, asked, answer.caption);
  found(answer);
  if (answer.target === "sentences") {
    at("results").replaceChildren(results.photoWithSentences(shown, answer));
    return;
  }
  const grid = results.photoGrid(answer.hits, (hit) => openPhoto(hit, ""));
  at("results").replaceChildren(grid);
  showQuery(shown.card);
});

const listPhotos = () => show("Loading…", async (signal, stale) => {
  const page = await api.photosOf(collection(), 0);
  if (stale()) return;
  listed = page.photos;
  showList(page.after);
});

function showList(after) {
  if (!listed.length) {
    at("results").replaceChildren(results.nothingIndexed(collection()));
    say("");
    return;
  }
  at("results").replaceChildren(results.photoGrid(listed, (photo) => openPhoto(photo, "")));
  const { photos, sentences } = at("collection").selectedOptions[0].dataset;
  say(`${photos} photos and ${sentences} sentences in this collection`);
  at("more").hidden = after === null;
  at("more").onclick = async () => {
    try {
      const page = await api.photosOf(collection(), after);
      listed = listed.concat(page.photos);
      showList(page.after);
    } catch (error) {
      fail(error);
    }
  };
}

function openPhoto(photo, text) {
  const close = () => at("photo").close();
  const search = async (wanted) => {
    close();
    try {
      const answer = await fetch(api.photo(photo.id));
      if (!answer.ok) throw new Error("The file has changed or is gone; index it again.");
      await searchPhoto(await answer.blob(), wanted);
    } catch (error) {
      fail(error);
    }
  };
  at("photo-content").replaceChildren(...results.largePhoto(photo, text, { close, search }));
  at("photo").showModal();
}

// A photo is asked for sentences where there are any.
const firstTarget = () => (at("collection").selectedOptions[0]?.dataset.sentences === "0" ? "images" : "sentences");

function takePhoto(files) {
  const photo = [...files].find((file) => file.type.startsWith("image/")) ?? files[0];
  if (photo) searchPhoto(photo, firstTarget());
}

function listen() {
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    searchText();
  });
  at("collection").addEventListener("change", () => (at("text").value ? searchText() : listPhotos()));
  at("file").addEventListener("change", (event) => {
    takePhoto(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) takePhoto(event.clipboardData.files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) at("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").hidden = true;
    takePhoto(event.dataTransfer.files);
  });
}

async function start() {
  const held = await api.collections();
  for (const { name, photos, sentences } of held) {
    const option = new Option(`${name} (${photos})`, name);
    Object.assign(option.dataset, { photos, sentences });
    at("collection").append(option);
  }
  at("collection").disabled = held.length === 0;
  if (held.length) {
    listen();
    await listPhotos();
  } else {
    at("search").hidden = true;
    at("results").replaceChildren(results.nothingIndexed(null));
  }
}

start().catch(fail);
