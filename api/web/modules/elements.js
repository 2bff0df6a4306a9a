// Elements, made without a line of HTML: what the service says is text, whatever it holds.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {string | Node | null | undefined | false} Child */

/** Makes an element; attributes that begin with "on" are listeners, false and undefined ones are left out.
 * @param {string} name @param {Record<string, any>} [attributes] @param {...Child} children
 * @returns {HTMLElement} */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** @param {string} name @param {Record<string, any>} [attributes] @param {...Child} children @returns {SVGElement} */
export function drawn(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** A button that shows a picture from the page's sprite, and a text or a label.
 * @param {string} picture @param {string} label @param {Record<string, any>} attributes */
export const iconButton = (picture, label, attributes) =>
  element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, ...attributes }, icon(picture));

/** @param {string} name of a symbol in index.html */
export const icon = (name) =>
  drawn("svg", { class: "icon", "aria-hidden": "true" }, drawn("use", { href: `#icon-${name}` }));

/** @param {string} id @returns {any} */
export const at = (id) => document.getElementById(id);

/** @param {number} number @param {string} one @param {string} [many] */
export const counted = (number, one, many = one + "s") => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** @template {Element} T @param {T} made @param {Record<string, any>} attributes @param {Child[]} children */
function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}
