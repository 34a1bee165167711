/** Which buttons are at work: by their `data-key`, since each redraw makes new ones. */

export class Busy {
  #keys = new Set();

  has(key) {
    return key !== undefined && this.#keys.has(key);
  }

  /** Marks the buttons of that name as long as the work takes, also those that a redraw has made meanwhile. */
  async during(key, root, work) {
    if (key !== undefined) this.#keys.add(key);
    this.mark(root);
    try {
      await work();
    } finally {
      this.#keys.delete(key);
      this.mark(root);
    }
  }

  /** After a redraw. */
  mark(root) {
    for (const element of root.querySelectorAll("button[data-key], form[data-key]")) {
      if (this.#keys.has(element.dataset.key)) element.setAttribute("aria-busy", "true");
      else element.removeAttribute("aria-busy");
    }
  }
}
