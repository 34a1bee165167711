/** Elements, made and replaced without a framework. */

import { successorsOf } from "./focus.js";

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "line", "g"]);

/**
 * An element: `h("button", { class: "primary", onclick: play }, "Play")`. Functions become listeners, `true` an
 * attribute without a value, and null, undefined and false none. `style` takes an object of properties: the policy of
 * the page allows no style in attributes.
 */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  // A select has its value only once it has its options.
  if (tag === "select" && "value" in attributes) element.value = attributes.value;
  return element;
}

const FOCUSABLE = "a[href], button, input, select";

/**
 * Replaces what is in an element. What has the same `data-key` as before keeps the focus and what was typed. Where that
 * is gone, or can't be used any more, its nearest neighbour has the focus, or the heading: a keyboard must not begin
 * again at the top of the page.
 */
export function replace(container, ...children) {
  const active = document.activeElement;
  const isInside = container !== active && container.contains(active);
  const before = isInside ? namesIn(container) : new Map();
  const place = [...before.keys()].indexOf(active);
  const typed = isInside && active.matches("input") ? { value: active.value, place: placeIn(active) } : undefined;
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (!isInside) return;
  const after = new Map([...namesIn(container)].map(([element, name]) => [name, element]));
  const successors = place < 0 ? [] : successorsOf([...before.values()], place);
  const name = successors.find((one) => after.has(one) && !after.get(one).disabled);
  if (name === undefined) return focusHeading(container);
  after.get(name).focus({ preventScroll: true });
  if (name === before.get(active) && typed) restore(after.get(name), typed);
}

/** What can have the focus, in its order, with a name: the `data-key`, and which one of several that have it. */
function namesIn(container) {
  const counts = new Map();
  const nameOf = ({ dataset: { key } }) => {
    if (key === undefined) return undefined;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return `${key} ${counts.get(key)}`;
  };
  return new Map([...container.querySelectorAll(FOCUSABLE)].map((element) => [element, nameOf(element)]));
}

function focusHeading(container) {
  const heading = container.querySelector("h1, h2") ?? container;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function placeIn(input) {
  return input.selectionStart === null ? undefined : [input.selectionStart, input.selectionEnd];
}

/** A field whose text the page keeps by itself has it already, or has none since it was sent. */
function restore(input, { value, place }) {
  if (!input.matches("input") || input.type === "checkbox" || input.type === "radio") return;
  if (!("draft" in input.dataset)) input.value = value;
  if (place) input.setSelectionRange(...place);
}
