/** Elements, made and replaced without a framework. */

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

/** Replaces what is in an element. What has the same `data-key` as before keeps the focus, and what was typed. */
export function replace(container, ...children) {
  const active = document.activeElement;
  const key = container.contains(active) ? active.dataset.key : undefined;
  const selection = key && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : undefined;
  const typed = active?.matches?.("input") ? active.value : undefined;
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (!key) return;
  const again = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (typed !== undefined && again.matches("input") && again.type !== "checkbox" && again.type !== "radio") {
    again.value = typed;
    if (selection && again.type !== "range") again.setSelectionRange(...selection);
  }
}
