/** Short notices in a corner, which a screen reader reads out. */

import { h } from "../dom.js";

const SHOWN_MS = 6_000;
const MOST = 4;

export class Toasts {
  constructor() {
    this.element = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
  }

  show(text, kind = "info") {
    const toast = h("div", { class: `toast ${kind}` }, text);
    this.element.append(toast);
    while (this.element.children.length > MOST) this.element.firstChild.remove();
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
