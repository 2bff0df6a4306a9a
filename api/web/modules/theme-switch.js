// Dark and light: as the system has it, or as the person chose; the choice is kept in this browser.

import { at, icon } from "./elements.js";

const THEMES = ["system", "light", "dark"];

export function listenForTheme() {
  show(localStorage.getItem("theme") ?? "system");
  at("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(localStorage.getItem("theme") ?? "system") + 1) % THEMES.length];
    if (next === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
    show(next);
  });
}

/** @param {string} theme */
function show(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  at("theme").replaceChildren(icon(theme));
  at("theme").setAttribute("aria-label", `Colours: ${theme}`);
  at("theme").title = `Colours: ${theme}`;
}
