// The calls of the service. Each gives the document, or throws a Refusal with the service's own sentence.

const API = "api/v1/";

export class Refusal extends Error {
  /** @param {string} sentence @param {number} status */
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** @type {() => Promise<void>} */
let askForKey = () => Promise.reject(new Refusal("This server wants a key.", 401));

/** Says who asks the person for a key; the call that was refused is made again after that.
 * @param {() => Promise<void>} ask */
export const whenKeyIsWanted = (ask) => { askForKey = ask; };

/** A server that is busy is asked again when it says so. @param {string} path @param {RequestInit} [options]
 * @param {number} [tries] that are left @returns {Promise<any>} */
async function call(path, options, tries = 3) {
  const answer = await fetch(API + path, options).catch((error) => {
    throw error.name === "AbortError" ? error : unreachable();
  });
  if (answer.status === 401 && path !== "session") {
    await askForKey();
    return call(path, options);
  }
  if (answer.status === 429 && tries > 1) {
    await new Promise((resolve) => window.setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
    return call(path, options, tries - 1);
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw refusal(answer.status, await answer.text());
}

const unreachable = () => new Refusal("The server cannot be reached. Is dvsa serve still running?", 0);

/** @param {number} status @param {string} body */
function refusal(status, body) {
  try {
    return new Refusal(sentence(JSON.parse(body).detail), status);
  } catch {
    return new Refusal(`The server answered with code ${status}.`, status);
  }
}

/** A refusal of the service as people write it; a file's name at its beginning stays as it is. @param {string} detail */
const sentence = (detail) => detail.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase()) + (/[.!?]$/.test(detail) ? "" : ".");

/** @param {string} method @param {unknown} [body] @param {AbortSignal} [signal] @returns {RequestInit} */
const sending = (method, body, signal) => ({
  method, signal, body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
});

/** @param {Record<string, any>} fields */
function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    form.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return form;
}

/** @param {Record<string, any>} fields */
const query = (fields) => new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));

/** @returns {Promise<import("./types.js").Collection[]>} */
export const collections = async () => (await call("collections")).collections;
/** @param {string} name */
export const makeCollection = (name) => call("collections", sending("POST", { name }));
/** @param {string} name */
export const deleteCollection = (name) => call(`collections/${encodeURIComponent(name)}`, { method: "DELETE" });

/** @param {string} collection @param {number} after @param {number} count @param {AbortSignal} signal
 * @returns {Promise<{ photos: import("./types.js").Photo[], after: number | null }>} */
export const photosOf = (collection, after, count, signal) =>
  call(`photos?${query({ collection, after, count })}`, { signal });
/** @param {number} id @returns {Promise<import("./types.js").Photo>} */
export const photo = (id) => call(`photos/${id}`);
/** @param {number} id @param {string[]} tags */
export const setTags = (id, tags) => call(`photos/${id}`, sending("PATCH", { tags }));
/** @param {number} id @returns {Promise<import("./types.js").CaptionedPhoto>} */
export const captionsOf = (id) => call(`photos/${id}/captions?regions=true`);

/** @param {string} collection @param {string} prefix @param {number} count @param {AbortSignal} [signal]
 * @returns {Promise<string[]>} */
export const suggestions = async (collection, prefix, count, signal) =>
  (await call(`suggestions?${query({ collection, prefix, count })}`, { signal })).suggestions;

/** @param {Record<string, any>} asked @param {AbortSignal} signal @returns {Promise<import("./types.js").Answer>} */
export const searchText = (asked, signal) => call("search/text", sending("POST", asked, signal));
/** @param {Record<string, any>} asked @param {AbortSignal} signal @returns {Promise<import("./types.js").Answer>} */
export const searchRegion = (asked, signal) => call("search/region", sending("POST", asked, signal));
/** @param {Blob} file @param {Record<string, any>} asked @param {AbortSignal} signal
 * @returns {Promise<import("./types.js").Answer>} */
export function searchPhoto(file, asked, signal) {
  const form = formOf(asked);
  form.set("photo", file, "photo");
  return call("search/photo", { method: "POST", signal, body: form });
}

/** The newest. @returns {Promise<import("./types.js").Job[]>} */
export const jobs = async () => (await call("jobs?count=20")).jobs;
/** @param {number} id @returns {Promise<import("./types.js").Job>} */
export const job = (id) => call(`jobs/${id}`);
/** @param {number} id */
export const cancelJob = (id) => call(`jobs/${id}/cancel`, { method: "POST" });
/** @param {number} id @returns {Promise<import("./types.js").Job>} */
export const resumeJob = (id) => call(`jobs/${id}/resume`, { method: "POST" });
/** @param {number} id */
export const jobEvents = (id) => new EventSource(`${API}jobs/${id}/events`);

/** @returns {Promise<{ scope: "read" | "write" | null }>} */
export const session = () => call("session");
/** @param {string} key */
export const openSession = (key) => call("session", sending("POST", { key }));
export const closeSession = () => call("session", { method: "DELETE" });

/** @param {number} id @param {number} side pixels of the longer side */
export const thumbnail = (id, side = 512) => `${API}photos/${id}/thumbnail?size=${side}`;
/** @param {number} id */
export const bytes = (id) => `${API}photos/${id}/bytes`;

/** @param {number} id @param {AbortSignal} signal */
export async function fileOf(id, signal) {
  const answer = await fetch(bytes(id), { signal });
  if (!answer.ok) throw refusal(answer.status, await answer.text());
  return answer.blob();
}

/** Sends photos to be indexed; unlike the other calls it says how much has been sent, which fetch cannot.
 * @param {File[]} photos @param {string} collection @param {string[]} tags
 * @param {(part: number) => void} sent told the part that has been sent, 0 to 1 @param {AbortSignal} signal
 * @returns {Promise<import("./types.js").Job>} */
export function sendPhotos(photos, collection, tags, sent, signal) {
  const form = formOf({ collection, tags });
  for (const file of photos) form.append("photos", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${API}photos`);
    request.upload.onprogress = (event) => sent(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onload = () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(refusal(request.status, request.responseText));
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
