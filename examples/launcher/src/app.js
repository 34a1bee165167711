/** The window: its frame, the page in it, and what each page needs. */

import { LibraryError } from "../vendor/client/index.js";
import { Busy } from "./busy.js";
import { replace } from "./dom.js";
import { errorText } from "./errors.js";
import { formats } from "./format.js";
import { demoBar } from "./parts/demo-bar.js";
import { frame } from "./parts/frame.js";
import { Toasts } from "./parts/toasts.js";
import { pages } from "./pages/index.js";
import { placeOf } from "./place.js";
import { Play } from "./play.js";
import { demo } from "./session.js";
import { follow } from "./updates.js";
import { sendWaiting } from "./waiting.js";

const SETTLE_MS = 120;
const AGAIN_MS = 1_500;

export class App {
  constructor(session, language, texts, root) {
    Object.assign(this, session);
    this.language = language;
    this.texts = texts;
    this.format = formats(language);
    this.toasts = new Toasts();
    this.busy = new Busy();
    this.play = new Play(this);
    /** What a page remembers while it is shown: filters, what was chosen. */
    this.state = {};
    this.place = placeOf(location.hash);
    this.root = root;
    this.turn = 0;
  }

  async start() {
    this.frame = frame(this);
    replace(this.root, this.frame.element, this.toasts.element);
    addEventListener("hashchange", () => this.#moved());
    const home = await this.#patiently(() => this.client.home());
    void this.play.resume(home.data.attributes.playing_now);
    void follow(this, home.meta.cursor).catch((error) => this.#failed(error));
    void this.sendWaiting();
    await this.refresh();
  }

  /** Reads what the page shows again, and shows it. An older answer never replaces a newer one. */
  async refresh() {
    this.turn += 1;
    const { turn, place } = this;
    const page = pages[place.page];
    try {
      const [data, shop] = await Promise.all([page.load(this, place), demoBar.load(this)]);
      if (turn !== this.turn) return;
      this.shown = { page, data, shop };
      if (this.frame.online(true)) void this.sendWaiting();
      this.draw();
    } catch (error) {
      if (turn !== this.turn) return;
      if (!(error instanceof LibraryError && error.isTemporary)) return this.#failed(error);
      this.frame.online(false);
      setTimeout(() => turn === this.turn && this.refresh(), AGAIN_MS);
    }
  }

  /** Shows the page again with what was read before: after a choice that the service knows nothing of. */
  draw() {
    if (!this.shown) return;
    const { page, data, shop } = this.shown;
    document.title = `${page.title(this, data)} · gameshelf`;
    replace(this.frame.demo, demoBar.render(this, shop));
    replace(this.frame.main, page.render(this, data, this.place));
    this.frame.update(this.place);
    this.busy.mark(this.root);
    this.frame.main.removeAttribute("aria-busy");
  }

  /** Many messages in a row are one refresh. */
  refreshSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.refresh(), SETTLE_MS);
  }

  /** Does what a button is for: it is busy meanwhile, a failure is shown, and the page is read again. */
  act(work) {
    return async (event) => {
      event.preventDefault();
      const key = keyOf(event.currentTarget);
      if (this.busy.has(key)) return;
      await this.busy.during(key, this.root, async () => {
        try {
          await work(event);
        } catch (error) {
          this.#failed(error);
        }
      });
      await this.refresh();
    };
  }

  /** What the shop would do. */
  async buy(game) {
    if (game.is_free) await this.client.library.claimItem({ product_id: game.product_id });
    else await demo("buy", { user_id: this.player.user_id, product_id: game.product_id });
    if (!game.is_free) this.toasts.show(this.texts.bought);
  }

  /** Sends what was played and unlocked without the service: at the start, after a game, and when the service is back. */
  async sendWaiting() {
    try {
      if ((await sendWaiting(this)).length > 0) this.refreshSoon();
    } catch (error) {
      this.#failed(error);
    }
  }

  titleOf(productId) {
    return this.config.games.find((one) => one.product_id === productId)?.title[this.language] ?? "?";
  }

  #moved() {
    const before = this.place;
    this.place = placeOf(location.hash);
    if (before.page !== this.place.page || before.id !== this.place.id) this.state = {};
    this.frame.main.setAttribute("aria-busy", "true");
    this.frame.update(this.place);
    void this.refresh().then(() => {
      scrollTo(0, 0);
      this.frame.main.focus({ preventScroll: true });
    });
  }

  async #patiently(ask) {
    while (true) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof LibraryError && error.isTemporary)) throw error;
        this.frame.online(false);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  #failed(error) {
    this.toasts.show(errorText(this.texts, error), "error");
  }
}

/** What is pressed twice is meant once; each choice in a field is meant. */
function keyOf(element) {
  return element.matches("button, form") ? element.dataset.key : undefined;
}
