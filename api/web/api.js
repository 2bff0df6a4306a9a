// The calls of the service. Each gives the document, or throws an Error with the service's own sentence.

const API = "api/v1/";

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Is dvsa serve still running?");
  }
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The server answered with code ${answer.status}.`);
}

export const collections = async () => (await ask("collections")).collections;

export const photosOf = (collection, after) => ask(`photos?${new URLSearchParams({ collection, after, count: 24 })}`);

export const searchText = (query, signal) =>
  ask("search/text", {
    method: "POST", signal, body: JSON.stringify(query), headers: { "Content-Type": "application/json" },
  });

export function searchPhoto(photo, query, signal) {
  const form = new FormData();
  form.set("photo", photo, "photo");
  for (const [name, value] of Object.entries(query)) form.set(name, value);
  return ask("search/photo", { method: "POST", signal, body: form });
}

export const thumbnail = (id) => `${API}photos/${id}/thumbnail?size=512`;
export const photo = (id) => `${API}photos/${id}/bytes`;
