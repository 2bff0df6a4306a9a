// Whether this browser may read or write. Where the server wants a key, it is asked for once; the key itself is not
// kept by the page: the server answers with a cookie that no script can read.

import * as api from "./api.js";
import { at, element } from "./elements.js";

const REMEMBERED = "asked for a key"; // in localStorage, so that the key can be forgotten

/** @type {Promise<void> | null} */
let asking = null;

/** Finds out what may be done, and takes away from the page what may not. */
export async function begin() {
  const { scope } = await api.session();
  if (scope === null) {
    await askForKey();
    return begin();
  }
  document.body.classList.toggle("reading", scope === "read");
  document.body.classList.toggle("keyed", localStorage.getItem(REMEMBERED) !== null);
}

export async function end() {
  localStorage.removeItem(REMEMBERED);
  await api.closeSession();
  window.location.reload();
}

/** Resolves when a key was taken; requests that are refused at the same time share one question. */
export function askForKey() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

/** @returns {Promise<void>} */
function ask() {
  const dialog = /** @type {HTMLDialogElement} */ (at("key"));
  const wrong = element("p", { class: "wrong", role: "alert" });
  const key = /** @type {HTMLInputElement} */ (element("input", {
    type: "password", required: true, autocomplete: "off", autofocus: true, placeholder: "dvsa_…", maxlength: 200,
  }));
  const open = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wrong.textContent = "";
    try {
      await api.openSession(key.value.trim());
      localStorage.setItem(REMEMBERED, "yes");
      dialog.close("taken");
    } catch (error) {
      wrong.textContent = /** @type {Error} */ (error).message;
      key.select();
    }
  };
  dialog.replaceChildren(element("h2", { id: "key-title" }, "This server wants a key"),
    element("p", { class: "hint" }, "Whoever runs it makes one with: dvsa keys create NAME"),
    element("form", { onsubmit: open }, element("label", { class: "field" }, "Key", key), wrong,
      element("div", { class: "row end" }, element("button", { type: "submit", class: "primary" }, "Open"))));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "taken") resolve();
      else reject(new api.Refusal("Without a key this server shows nothing.", 401));
    }, { once: true });
  });
}
