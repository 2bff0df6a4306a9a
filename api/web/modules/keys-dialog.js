// The keys of the page, the help that names them, and the way to leave a server that wanted a key.

import { at, element, iconButton } from "./elements.js";
import * as session from "./session.js";

const KEYS = [
  ["/", "to the search box"], ["↓ ↑", "through the suggestions"], ["← → ↑ ↓", "from photo to photo"],
  ["Enter", "opens a photo, keeps a word lit"], ["Tab", "from word to word; each lights its region"],
  ["Esc", "closes what is open"], ["?", "shows these keys"],
];

/** @param {() => void} focusSearch */
export function listenForKeys(focusSearch) {
  at("help").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "radio";
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      focusSearch();
    }
    if (event.key === "?") open();
  });
}

function open() {
  const dialog = /** @type {HTMLDialogElement} */ (at("keys"));
  dialog.replaceChildren(
    element("div", { class: "top" }, element("h2", { id: "keys-title" }, "Keys"),
      iconButton("close", "Close", { onclick: () => dialog.close() })),
    element("dl", { class: "keys" }, ...KEYS.flatMap(([key, does]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, does)])),
    element("p", { class: "hint" }, "Drop or paste a photo anywhere to search by it; drop several to add them. In an open photo, drag a box over a part to search by it."),
    element("div", { class: "row end session" }, element("button", { type: "button", onclick: session.end }, "Forget my key")));
  dialog.showModal();
}
