// A question before something that cannot be undone.

import { at, element } from "./elements.js";

/** @param {string} title @param {string} text @param {string} yes what the button says @returns {Promise<boolean>} */
export function confirmed(title, text, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (at("question"));
  const close = (/** @type {string} */ answer) => () => dialog.close(answer);
  dialog.replaceChildren(element("h2", { id: "question-title" }, title), element("p", {}, text),
    element("div", { class: "row end" },
      element("button", { type: "button", autofocus: true, onclick: close("no") }, "Keep"),
      element("button", { type: "button", class: "danger", onclick: close("yes") }, yes)));
  dialog.returnValue = "no"; // the Escape key keeps it, too
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
