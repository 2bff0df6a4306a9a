// Asks for a key where the server wants one. The key itself is not kept: the server answers with a cookie.

import * as api from "./api.js";
import { at, element } from "./elements.js";

/** @type {Promise<void> | null} */
let asking = null;

/** Resolves when a key was taken; requests that are refused at the same time share one question. */
export function askForKey() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

/** @returns {Promise<void>} */
function ask() {
  const dialog = /** @type {HTMLDialogElement} */ (at("key"));
  const wrong = element("p", { class: "wrong", role: "alert" });
  const key = /** @type {HTMLInputElement} */ (element("input", { type: "password", required: true, autocomplete: "off", autofocus: true, placeholder: "dvsa_…" }));
  const open = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wrong.textContent = "";
    try {
      await api.openSession(key.value.trim());
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
