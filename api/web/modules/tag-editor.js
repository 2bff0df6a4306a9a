// The tags of a photo and the day it was taken, as they stand in the catalogue; tags can be added and taken away.

import * as api from "./api.js";
import { element, iconButton } from "./elements.js";

/** @param {import("./types.js").Photo} photo */
export function tagEditor(photo) {
  const list = element("div", { class: "tags" });
  const taken = element("p", { class: "hint" });
  const wrong = element("p", { class: "wrong", role: "alert" });
  const input = /** @type {HTMLInputElement} */ (element("input", {
    class: "writing", type: "text", placeholder: "Add a tag", "aria-label": "Add a tag", maxlength: 100, autocomplete: "off",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && input.value.trim()) save([...tags, input.value.trim()]);
    },
  }));
  /** @type {string[]} */
  let tags = [];

  const show = (/** @type {import("./types.js").Photo} */ stored) => {
    tags = stored.tags ?? [];
    input.value = "";
    wrong.textContent = "";
    taken.textContent = `${stored.width} × ${stored.height}${stored.taken_at ? `, taken ${day(stored.taken_at)}` : ""}`;
    list.replaceChildren(...tags.map((tag) => element("span", { class: "chip" }, tag, iconButton("close", `Remove the tag ${tag}`, {
      class: "icon-button writing", onclick: () => save(tags.filter((other) => other !== tag)),
    }))), input);
  };
  const save = async (/** @type {string[]} */ wanted) => {
    try {
      show(await api.setTags(photo.id, wanted));
      input.focus();
    } catch (error) {
      wrong.textContent = /** @type {Error} */ (error).message;
    }
  };
  api.photo(photo.id).then(show, () => {}); // a photo that is gone says so in its frame
  return element("section", {}, element("h3", {}, "Tags"), list, wrong, taken);
}

/** @param {string} moment */
const day = (moment) => new Date(moment).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" });
