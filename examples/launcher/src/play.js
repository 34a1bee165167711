/** The games that this window plays. */

const HEARTBEAT_SECONDS = 20;

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
      heartbeatSeconds: HEARTBEAT_SECONDS,
      onNotice: (notice) => this.#notice(productId, notice),
    });
    this.#running.set(productId, { session, since, lostAt: undefined });
  }

  async stop(productId) {
    const running = this.#running.get(productId);
    this.#running.delete(productId);
    await running?.session.end();
    await this.#app.client.offline.flush();
  }

  /** Takes up what this device was playing when the window was closed. */
  async resume(sessions) {
    for (const one of sessions) {
      if (one.device_id !== this.#app.deviceId) continue;
      await this.start(one.product_id, Date.parse(one.start_time)).catch(() => {});
    }
    this.#app.refreshSoon();
  }

  /** The owner's wish arrives over the live updates before the next heartbeat reports it. */
  receive({ event_type, payload }) {
    const running = this.#running.get(payload.product_id);
    if (!running) return;
    if (event_type === "family.seat.reclaimed") this.#notice(payload.product_id, { kind: "seat_reclaimed", lostAt: payload.lost_at });
    if (event_type === "playtime.session.ended" && payload.session_id === running.session.sessionId) {
      this.#running.delete(payload.product_id);
      void running.session.end();
      this.#over(payload.end_reason);
    }
  }

  #notice(productId, notice) {
    const { texts, toasts } = this.#app;
    const running = this.#running.get(productId);
    if (notice.kind === "seat_reclaimed" && running) running.lostAt = notice.lostAt;
    if (notice.kind === "offline") toasts.show(texts.sessionOffline, "warning");
    if (notice.kind === "online") toasts.show(texts.sessionOnline);
    if (notice.kind === "over" && this.#running.delete(productId)) this.#over(notice.reason);
    this.#app.refreshSoon();
  }

  #over(reason) {
    const { texts, toasts } = this.#app;
    toasts.show(`${texts.sessionOver}. ${texts.overReasons[reason] ?? ""}`, "warning");
  }
}
