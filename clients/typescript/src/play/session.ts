/** A play session: started, kept alive, ended; with or without the service. */

import type { Done } from "../calls.js";
import { LibraryError, LibraryRefusal } from "../errors.js";
import type { PlaytimeCalls } from "../generated/calls.js";
import type { StartSession } from "../generated/schemas.js";
import { newId } from "../ids.js";
import type { OfflineQueue } from "../offline/queue.js";
import type { PlayNotice, PlayOptions } from "./notices.js";
import type { Online, Stretch } from "./stretches.js";
import { failedOf, playedMs } from "./ticks.js";

export interface PlayParts {
  readonly playtime: PlaytimeCalls;
  readonly queue: OfflineQueue;
  readonly deviceId: string | null;
  readonly now?: () => number;
}

/** Somebody waits for the game: it starts without the service rather than late. */
const IN_A_HURRY = { tries: 2, totalSeconds: 5 };
/** What is shorter is no session for the service, which counts whole seconds. */
const SHORTEST_MS = 1_000;
/** A heartbeat takes less than its interval, whatever does not answer: turns must not pile up. */
const ONCE = { tries: 1, totalSeconds: 30 };

export class PlaySession implements AsyncDisposable {
  readonly #parts: PlayParts;
  readonly #request: StartSession;
  readonly #intervalMs: number;
  readonly #onNotice: (notice: PlayNotice) => void;
  readonly #signal: AbortSignal | undefined;
  #stretch: Stretch = { kind: "over" };
  #timer: ReturnType<typeof setInterval> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #lastTurn = 0;
  #lostAt: string | undefined;
  /** What the service's clock is ahead of this machine's. */
  #serverAheadMs: number | undefined;

  private constructor(parts: PlayParts, request: StartSession, options: PlayOptions) {
    this.#parts = parts;
    this.#request = request;
    this.#intervalMs = (options.heartbeatSeconds ?? 60) * 1000;
    this.#onNotice = options.onNotice ?? (() => {});
    this.#signal = options.signal;
  }

  /** Starts a session. Rejects if the service refuses it; if the service can't be reached, it starts offline. */
  static async start(parts: PlayParts, productId: string, options: PlayOptions = {}): Promise<PlaySession> {
    const request = { product_id: productId, device_id: parts.deviceId, platform: options.platform ?? null };
    const session = new PlaySession(parts, request, options);
    try {
      session.#stretch = await session.#online();
    } catch (error) {
      if (!(error instanceof LibraryError) || !error.isTemporary) throw error;
      session.#stretch = session.#offline();
      session.#onNotice({ kind: "offline" });
    }
    session.#lastTurn = session.#now();
    // A turn that takes longer than the interval is not overtaken by the next one.
    session.#timer = setInterval(() => void session.beat(), session.#intervalMs);
    return session;
  }

  /** Id of the session at the service; undefined while it is offline, or over. */
  get sessionId(): string | undefined {
    return this.#stretch.kind === "online" ? this.#stretch.sessionId : undefined;
  }

  get state(): "online" | "offline" | "over" {
    return this.#stretch.kind;
  }

  /** Takes the turn of a heartbeat now, such as after the machine woke up. The session does so by itself. */
  beat(): Promise<void> {
    return this.#next(async () => {
      try {
        await this.#beat();
      } catch (error) {
        this.#onNotice({ kind: "failed", error });
      }
    });
  }

  /**
   * Ends the session. It never rejects because the service can't be reached: the end then waits in the queue. It does
   * if the queue's store takes nothing, and may be called again.
   */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#next(() => this.#end());
  }

  /** One turn after the other. One that fails does not keep the later ones from theirs. */
  #next(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  #now(): number {
    return (this.#parts.now ?? Date.now)();
  }

  async #online(): Promise<Stretch> {
    const options = { retries: IN_A_HURRY, signal: this.#signal };
    const { data, response } = await this.#parts.playtime.startSession(this.#request, options);
    // A session that ran already, or whose first answer was lost, has begun earlier.
    const startTime = response.status === 201 && !response.isReplayed ? data.attributes.start_time : undefined;
    this.#compareClocks(response.headers.get("Date") ?? startTime);
    // A program that has crashed may have noted something of a session that it takes up again.
    const isNoted = response.status !== 201;
    const unacked = { unackedFrom: this.#now(), unackedMs: 0, part: 0, isAway: false, isNoted };
    return { kind: "online", sessionId: data.id, endKey: newId(), ...unacked };
  }

  /** Browsers hide the `Date` of an answer from the page, so that the start of a session has to do. */
  #compareClocks(serverTime: string | undefined): void {
    const ms = Date.parse(serverTime ?? "");
    if (!Number.isNaN(ms)) this.#serverAheadMs = ms - this.#now();
  }

  #offline(): Extract<Stretch, { kind: "offline" }> {
    return { kind: "offline", clientSessionId: newId(), startedAt: this.#now(), lengthMs: 0 };
  }

  /** Notes an offline session as it is now, to be sent if nothing more is noted in the next turns. */
  async #note(isEnded = false): Promise<void> {
    const stretch = this.#stretch;
    if (stretch.kind !== "offline" || stretch.lengthMs < SHORTEST_MS) return;
    const session = {
      ...this.#request,
      client_session_id: stretch.clientSessionId,
      start_time: new Date(stretch.startedAt).toISOString(),
      end_time: new Date(stretch.startedAt + stretch.lengthMs).toISOString(),
    };
    await this.#parts.queue.addSession(session, isEnded ? 0 : this.#now() + 3 * this.#intervalMs);
  }

  /** Adds what was played since the last turn. */
  async #advance(): Promise<void> {
    const now = this.#now();
    const gap = playedMs(now - this.#lastTurn, this.#intervalMs);
    if (now < this.#lastTurn) this.#serverAheadMs = undefined; // the clock was set back
    if (gap.sleptMs > 0) await this.#split(now - gap.playedMs);
    const stretch = this.#stretch;
    if (stretch.kind === "offline") stretch.lengthMs += gap.playedMs;
    if (stretch.kind === "online") {
      if (stretch.unackedMs === 0) stretch.unackedFrom = now - gap.playedMs;
      stretch.unackedMs += gap.playedMs;
    }
    this.#lastTurn = now;
    if (gap.sleptMs > 0) this.#onNotice({ kind: "slept", seconds: Math.round(gap.sleptMs / 1000) });
  }

  /**
   * After a sleep the player plays another session. The one before it was not noted for long, and so may have been sent:
   * what is noted by its id again is a duplicate for the service.
   */
  async #split(startedAt: number): Promise<void> {
    const stretch = this.#stretch;
    if (stretch.kind === "offline") {
      await this.#note(true);
      this.#stretch = { ...this.#offline(), startedAt };
    }
    if (stretch.kind === "online" && stretch.unackedMs > 0) {
      await this.#keepEnd(stretch, { endedAt: stretch.unackedFrom + stretch.unackedMs });
      stretch.part += 1;
      stretch.unackedMs = 0;
    }
  }

  async #beat(): Promise<void> {
    if (this.#stretch.kind === "over" || this.#timer === undefined) return;
    await this.#advance();
    if (this.#stretch.kind === "offline") {
      await this.#note();
      return this.#restart();
    }
    const { sessionId } = this.#stretch;
    let answer: Done;
    try {
      const options = { retries: ONCE, signal: this.#signal };
      answer = await this.#parts.playtime.recordHeartbeat(sessionId, options);
    } catch (error) {
      return this.#failed(error);
    }
    await this.#acknowledged(answer);
  }

  async #acknowledged({ response }: Done): Promise<void> {
    this.#compareClocks(response.headers.get("Date") ?? undefined);
    const lostAt = response.headers.get("X-Seat-Lost-At") ?? undefined;
    if (lostAt !== undefined && lostAt !== this.#lostAt) this.#onNotice({ kind: "seat_reclaimed", lostAt });
    this.#lostAt = lostAt;
    const stretch = this.#stretch;
    if (stretch.kind !== "online") return;
    stretch.unackedMs = 0;
    if (stretch.isAway) this.#onNotice({ kind: "online" });
    stretch.isAway = false;
    await this.#forget(stretch);
  }

  /** The service has counted all of a session, or nothing of it counts any more. */
  async #forget(stretch: Online): Promise<void> {
    if (!stretch.isNoted) return;
    await this.#parts.queue.removeEnds(stretch.sessionId);
    stretch.part = 0;
    stretch.isNoted = false;
  }

  async #failed(error: unknown): Promise<void> {
    const stretch = this.#stretch;
    if (stretch.kind !== "online") return;
    const failed = failedOf(error);
    if (failed.kind === "away") {
      if (!stretch.isAway) this.#onNotice({ kind: "offline" });
      stretch.isAway = true;
      // Sent by another process, or after a crash, if neither another note nor an answer follows.
      return this.#keepEnd(stretch, { heldUntil: this.#now() + 3 * this.#intervalMs });
    }
    if (failed.kind === "timed_out") {
      await this.#keepEnd(stretch);
      return this.#restart();
    }
    this.#over(failed.reason);
    await this.#forget(stretch);
  }

  /** A new session at the service, in place of one that was offline or has timed out. */
  async #restart(): Promise<void> {
    try {
      const online = await this.#online();
      await this.#note(true);
      this.#stretch = online;
      this.#onNotice({ kind: "online" });
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      if (this.#stretch.kind !== "offline") this.#stretch = this.#offline();
      // A game that may not be played any more is not refused in the middle of a session: the import decides.
      if (error instanceof LibraryRefusal && failedOf(error).kind !== "away") return this.#refused(error);
    }
  }

  async #refused(error: LibraryRefusal): Promise<void> {
    await this.#note(true);
    this.#over(error.code);
  }

  #over(reason: string): void {
    clearInterval(this.#timer);
    this.#stretch = { kind: "over" };
    this.#onNotice({ kind: "over", reason });
  }

  async #end(): Promise<void> {
    if (this.#stretch.kind === "over") return;
    await this.#advance();
    const stretch = this.#stretch;
    if (stretch.kind === "offline") await this.#note(true);
    if (stretch.kind === "online") {
      try {
        const options = { retries: IN_A_HURRY, idempotencyKey: stretch.endKey };
        const { data } = await this.#parts.playtime.endSession(stretch.sessionId, options);
        // It had ended before, at its last heartbeat that arrived: what was played since then is not counted yet.
        if (data.attributes.end_reason === "timeout") await this.#keepEnd(stretch);
        else await this.#forget(stretch);
      } catch (error) {
        // Also if there is no token: what was played is not lost for that.
        const isRefused = error instanceof LibraryError && failedOf(error).kind === "over";
        if (!isRefused) await this.#keepEnd(stretch);
        else await this.#forget(stretch);
      }
    }
    this.#stretch = { kind: "over" };
  }

  async #keepEnd(stretch: Online, { heldUntil = 0, endedAt = this.#now() } = {}): Promise<void> {
    stretch.isNoted = true;
    await this.#parts.queue.addEnd({
      sessionId: stretch.sessionId,
      idempotencyKey: stretch.endKey,
      product_id: this.#request.product_id,
      device_id: this.#request.device_id ?? null,
      platform: this.#request.platform ?? null,
      playedMs: Math.round(stretch.unackedMs),
      playedFrom: Math.round(stretch.unackedFrom),
      ...(this.#serverAheadMs === undefined ? {} : { serverAheadMs: this.#serverAheadMs }),
      part: stretch.part,
      endedAt,
      heldUntil,
    });
  }
}
