// Photos that are dropped on the page, pasted into it, or chosen.

import { at } from "./elements.js";

/** @param {(files: File[]) => void} take */
export function listenForPhotos(take) {
  at("file").addEventListener("change", () => {
    take([...at("file").files]);
    at("file").value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").hidden = document.querySelector("dialog[open]") !== null;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) at("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) take(files);
  });
}
