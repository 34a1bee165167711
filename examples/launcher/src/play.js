/** The games that this window plays. */

import { announcementsOf } from "./seat.js";

export class Play {
  #app;
  /** By product: the client's session, since when, and when the seat is lost. */
  #running = new Map();

  constructor(app) {
    this.#app = app;
  }

  /** What runs here: `{ session, since, lostAt }`; undefined if the game does not. */
  of(productId) {
    return this.#running.get(productId);
  }

  get all() {
    return [...this.#running].map(([productId, running]) => ({ productId, ...running }));
  }

  async start(productId, since = Date.now()) {
    if (this.#running.has(productId)) return;
    const session = await this.#app.client.play(productId, {
      platform: "linux",
      onNotice: (notice) => this.#notice(productId, notice),
    });
    this.#running.set(productId, { session, since, lostAt: undefined, isEnding: false, timers: [] });
  }

  /** Ends the session. Where its end can't be kept either, since the storage is full, the game continues. */
  async stop(productId) {
    const running = this.#running.get(productId);
    if (!running) return;
    running.isEnding = true;
    try {
      await running.session.end();
    } finally {
      running.isEnding = false;
    }
    this.#forget(productId);
    await this.#app.sendWaiting();
  }

  /** Takes up what this device was playing when the window was closed. */
  async resume(sessions) {
    for (const one of sessions) {
      if (one.device_id !== this.#app.deviceId) continue;
      await this.start(one.product_id, Date.parse(one.start_time)).catch(() => {});
    }
    this.#app.refreshSoon();
  }

  /** The owner's wish, or the end of a session, arrives over the live updates before the next heartbeat reports it. */
  receive({ event_type, payload }) {
    const running = this.#running.get(payload.product_id);
    if (!running || running.isEnding) return;
    if (event_type === "family.seat.reclaimed") this.#notice(payload.product_id, { kind: "seat_reclaimed", lostAt: payload.lost_at });
    if (event_type !== "playtime.session.ended" || payload.session_id !== running.session.sessionId) return;
    // No heartbeat has arrived for long, and the game still runs: a heartbeat makes the client begin another session.
    if (payload.end_reason === "timeout") return void running.session.beat().then(() => this.#app.sendWaiting());
    this.#forget(payload.product_id);
    running.session.end().catch(() => {});
    this.#over(payload.end_reason);
  }

  #notice(productId, notice) {
    const { texts, toasts } = this.#app;
    const running = this.#running.get(productId);
    if (notice.kind === "seat_reclaimed" && running) this.#reclaimed(running, notice.lostAt);
    if (notice.kind === "offline") toasts.show(texts.sessionOffline, "warning");
    if (notice.kind === "failed") toasts.show(texts.failed, "error");
    if (notice.kind === "online") {
      toasts.show(texts.sessionOnline);
      void this.#app.sendWaiting();
    }
    if (notice.kind === "over" && this.#forget(productId)) this.#over(notice.reason);
    this.#app.refreshSoon();
  }

  /** Says it once, and again shortly before the end: not each second, as the clock on the page does. */
  #reclaimed(running, lostAt) {
    if (Date.parse(running.lostAt) === Date.parse(lostAt)) return;
    running.lostAt = lostAt;
    for (const timer of running.timers.splice(0)) clearTimeout(timer);
    const { texts, toasts, format } = this.#app;
    for (const { inMs, leftSeconds } of announcementsOf(lostAt, Date.now())) {
      const say = () => toasts.show(texts.seatReclaimed(format.clock(leftSeconds)), "warning");
      running.timers.push(setTimeout(say, inMs));
    }
  }

  #forget(productId) {
    for (const timer of this.#running.get(productId)?.timers ?? []) clearTimeout(timer);
    return this.#running.delete(productId);
  }

  #over(reason) {
    const { texts, toasts } = this.#app;
    toasts.show(`${texts.sessionOver}. ${texts.overReasons[reason] ?? ""}`, "warning");
  }
}
