// Before the first paint: the colours that were chosen on an earlier visit, if any; else those of the system.
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
