// Elements, made without a line of HTML: what the service says is text, whatever it holds.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

// A photo under boxes: `frame.light(boxes)` draws them, in pixels of the upright photo, and no others.
export function framedPhoto(source, alternative, width, height) {
  const image = element("img", { src: source, alt: alternative, width, height, loading: "lazy" });
  const boxes = document.createElementNS(SVG, "svg");
  boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
  boxes.setAttribute("preserveAspectRatio", "none");
  boxes.setAttribute("aria-hidden", "true");
  const frame = element("span", { class: "frame" }, image, boxes);
  image.addEventListener("error", () => {
    frame.replaceChildren(element("span", { class: "gone" }, "The file has changed or is gone; index it again."));
  });
  frame.light = (lit) => boxes.replaceChildren(...lit.flatMap((box) => ["under", "over"].map((of) => outline(box, of))));
  return frame;
}

function outline([x0, y0, x1, y1], of) {
  const made = document.createElementNS(SVG, "rect");
  const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, class: of };
  for (const [key, value] of Object.entries(place)) made.setAttribute(key, value);
  return made;
}

// A text whose known words light up: `light(word)` is told the word, and null when none is pointed at. A click or the
// Enter key keeps a word lit, for those who cannot hover.
export function wordsOf(text, words, light) {
  const parts = [];
  let kept = null;
  let place = 0;
  const letters = [...text]; // the service counts characters, JavaScript halves of them
  const show = (word) => {
    for (const part of parts) {
      if (part instanceof Element) part.classList.toggle("lit", part.word === word);
    }
    light(word);
  };
  for (const word of words) {
    parts.push(letters.slice(place, word.start).join(""));
    const part = element("button", {
      type: "button", class: "word", "aria-pressed": "false",
      onmouseenter: () => show(word), onmouseleave: () => show(kept),
      onfocus: () => show(word), onblur: () => show(kept),
      onclick: () => {
        kept = kept === word ? null : word;
        for (const other of parts) if (other instanceof Element) other.setAttribute("aria-pressed", other.word === kept);
        show(word);
      },
    }, letters.slice(word.start, word.end).join(""));
    part.word = word;
    parts.push(part);
    place = word.end;
  }
  parts.push(letters.slice(place).join(""));
  return element("span", { class: "words" }, ...parts);
}
