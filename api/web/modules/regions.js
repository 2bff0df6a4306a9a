// The regions of a photo: which words of the query went to each, and what the captioner says of it.

import * as api from "./api.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Region} Region */

const SAME = 0.6; // overlap from which on two boxes show the same; the service's own measure

/** @type {Map<number, Promise<import("./types.js").CaptionedPhoto>>} */
const captioned = new Map();

/** Asks once what a photo's regions show; a refusal is forgotten, so that it can be asked again.
 * @param {number} id */
export function captionsOf(id) {
  if (!captioned.has(id)) {
    const asked = api.captionsOf(id);
    captioned.set(id, asked);
    asked.catch(() => captioned.delete(id));
  }
  return /** @type {Promise<import("./types.js").CaptionedPhoto>} */ (captioned.get(id));
}

/** Puts the words that share a region together.
 * @param {import("./types.js").Word[]} words @returns {Region[]} */
export function regionsOf(words) {
  /** @type {Map<string, Region>} */
  const regions = new Map();
  for (const { word, start, box } of words) {
    const region = regions.get(String(box)) ?? { box, words: [], starts: [], caption: null };
    region.words.push(word);
    region.starts.push(start);
    regions.set(String(box), region);
  }
  return [...regions.values()];
}

/** Adds what the captioner says: to a region that has words, or as a region of its own.
 * @param {Region[]} regions @param {import("./types.js").CaptionedRegion[]} captions @returns {Region[]} */
export function withCaptions(regions, captions) {
  const merged = regions.map((region) => {
    const nearest = best(captions, (other) => overlap(region.box, other.box));
    return nearest && overlap(region.box, nearest.box) >= SAME ? { ...region, caption: nearest.caption } : region;
  });
  const said = new Set(merged.map((region) => region.caption));
  const others = captions.filter(({ caption }) => !said.has(caption));
  return [...merged, ...others.map(({ box, caption }) => ({ box, words: [], starts: [], caption }))];
}

/** The smallest region that holds a point, so that what lies on another can be pointed at.
 * @param {Region[]} regions @param {number} x @param {number} y pixels of the photo @returns {Region | null} */
export function regionAt(regions, x, y) {
  const under = regions.filter(({ box: [x0, y0, x1, y1] }) => x0 <= x && x <= x1 && y0 <= y && y <= y1);
  return best(under, (region) => -area(region.box));
}

/** Says of a region what there is to say: its words, then its caption. @param {Region} region */
export const saying = ({ words, caption }) => ({ words: [...new Set(words)].join(" · "), caption: caption ?? "" });

/** @param {Box} a @param {Box} b the area that both cover over the area that either covers, 0 to 1 */
function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

/** @param {Box} box */
const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);

/** @template T @param {T[]} items @param {(item: T) => number} measure @returns {T | null} */
function best(items, measure) {
  return items.reduce((/** @type {T | null} */ kept, item) => (kept === null || measure(item) > measure(kept) ? item : kept), null);
}
