/** A play session: started, kept alive, ended; with or without the service. */

import type { Done } from "../calls.js";
import { LibraryError, LibraryRefusal } from "../errors.js";
import type { PlaytimeCalls } from "../generated/calls.js";
import type { StartSession } from "../generated/schemas.js";
import { newId } from "../ids.js";
import type { OfflineQueue } from "../offline/queue.js";
import { LONGEST_TIMER_MS } from "../pause.js";
import { type Clocks, PlayClock } from "./clock.js";
import { notify, type PlayNotice, type PlayOptions } from "./notices.js";
import type { Online, Stretch } from "./stretches.js";
import { failedOf, heldMs, playedMs } from "./ticks.js";

export interface PlayParts extends Clocks {
  readonly playtime: PlaytimeCalls;
  readonly queue: OfflineQueue;
  readonly deviceId: string | null;
}

/** Somebody waits for the game: it starts without the service rather than late. */
const IN_A_HURRY = { tries: 2, totalSeconds: 5 };
/** What is shorter is no session for the service, which counts whole seconds. */
const SHORTEST_MS = 1_000;
/** A heartbeat waits for its interval at most, between these limits: so long, the end of the session waits for it. */
const [SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS] = [1, 30];

export class PlaySession implements AsyncDisposable {
  readonly #parts: PlayParts;
  readonly #request: StartSession;
  readonly #intervalMs: number;
  readonly #notify: (notice: PlayNotice) => void;
  readonly #signal: AbortSignal | undefined;
  #stretch: Stretch = { kind: "over" };
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #clock: PlayClock;
  /** The last of the turns, and how many of them have not ended. */
  #turn: Promise<void> = Promise.resolve();
  #turnsLeft = 0;
  #lostAt: string | undefined;
  /** Whether the service does not answer. The game is notified of that once, and once when that is over. */
  #isAway = false;

  private constructor(parts: PlayParts, request: StartSession, options: PlayOptions) {
    this.#parts = parts;
    this.#request = request;
    const { heartbeatSeconds = 60 } = options;
    if (!(heartbeatSeconds > 0)) throw new RangeError(`heartbeats can't be ${heartbeatSeconds} seconds apart`);
    this.#intervalMs = Math.min(heartbeatSeconds * 1000, LONGEST_TIMER_MS);
    this.#clock = new PlayClock(parts);
    const onNotice = options.onNotice ?? (() => {});
    this.#notify = (notice) => notify(onNotice, notice);
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
      session.#compare(error);
      session.#stretch = session.#offline();
      session.#away();
    }
    session.#clock.accept(session.#clock.turn());
    // A turn that takes longer than the interval is not followed by those that it has missed.
    session.#timer = setInterval(() => {
      if (session.#turnsLeft === 0) void session.beat();
    }, session.#intervalMs);
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
        this.#notify({ kind: "failed", error });
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
    this.#turnsLeft += 1;
    const turn = this.#turn.then(work).finally(() => {
      this.#turnsLeft -= 1;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #online(): Promise<Stretch> {
    const options = { retries: IN_A_HURRY, signal: this.#signal };
    const { data, response } = await this.#parts.playtime.startSession(this.#request, options);
    // A session that ran already, or whose first answer was lost, has begun earlier.
    const startTime = response.status === 201 && !response.isReplayed ? data.attributes.start_time : undefined;
    // The service shows pages of other origins its `Date`; where a proxy hides it, the start has to do.
    this.#clock.compare(response.headers.get("Date") ?? startTime);
    // A program that has crashed may have noted something of a session that it takes up again.
    const isNoted = response.status !== 201;
    const unacked = { unackedFrom: this.#clock.nowMs, unackedMs: 0, part: 0, isNoted };
    return { kind: "online", sessionId: data.id, endKey: newId(), user: this.#parts.queue.user, ...unacked };
  }

  #offline(): Extract<Stretch, { kind: "offline" }> {
    const { user } = this.#parts.queue;
    return { kind: "offline", clientSessionId: newId(), user, startedAt: this.#clock.nowMs, lengthMs: 0 };
  }

  /** Notes an offline session as it is now, to be sent if nothing more is noted in the next turns. */
  async #note(isEnded = false): Promise<void> {
    const stretch = this.#stretch;
    if (stretch.kind !== "offline" || stretch.lengthMs < SHORTEST_MS) return;
    const startMs = this.#clock.atService(stretch.startedAt);
    const session = {
      ...this.#request,
      client_session_id: stretch.clientSessionId,
      start_time: new Date(startMs).toISOString(),
      end_time: new Date(startMs + stretch.lengthMs).toISOString(),
    };
    stretch.user ??= this.#parts.queue.user;
    await this.#parts.queue.addSession(session, isEnded ? 0 : this.#heldUntil(), stretch.user);
  }

  #heldUntil(): number {
    return this.#clock.nowMs + heldMs(this.#intervalMs);
  }

  /** Adds what was played since the last turn. */
  async #advance(): Promise<void> {
    const turn = this.#clock.turn();
    const gap = playedMs(turn.gapMs, this.#intervalMs);
    if (gap.sleptMs > 0) await this.#split(turn.nowMs);
    else this.#move(turn.setBackMs);
    this.#clock.accept(turn);
    const stretch = this.#stretch;
    if (stretch.kind === "offline") stretch.lengthMs += gap.playedMs;
    if (stretch.kind === "online") {
      if (stretch.unackedMs === 0) stretch.unackedFrom = turn.nowMs - gap.playedMs;
      stretch.unackedMs += gap.playedMs;
    }
    if (gap.sleptMs > 0) this.#notify({ kind: "slept", seconds: Math.round(gap.sleptMs / 1000) });
  }

  /** The clock was set back: the stretch has begun earlier than that said. */
  #move(setBackMs: number): void {
    const stretch = this.#stretch;
    if (stretch.kind === "offline") stretch.startedAt -= setBackMs;
    if (stretch.kind === "online") stretch.unackedFrom -= setBackMs;
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
      const options = { retries: this.#once(), signal: this.#signal };
      answer = await this.#parts.playtime.recordHeartbeat(sessionId, options);
    } catch (error) {
      return this.#failed(error);
    }
    await this.#acknowledged(answer);
  }

  /** A heartbeat is not repeated: the next one follows soon. */
  #once() {
    const seconds = Math.min(this.#intervalMs / 1000, LONGEST_WAIT_SECONDS);
    return { tries: 1, totalSeconds: Math.max(seconds, SHORTEST_WAIT_SECONDS) };
  }

  async #acknowledged({ response }: Done): Promise<void> {
    this.#clock.compare(response.headers.get("Date") ?? undefined);
    this.#back();
    const lostAt = response.headers.get("X-Seat-Lost-At") ?? undefined;
    if (lostAt !== undefined && lostAt !== this.#lostAt) this.#notify({ kind: "seat_reclaimed", lostAt });
    this.#lostAt = lostAt;
    const stretch = this.#stretch;
    if (stretch.kind !== "online") return;
    stretch.unackedMs = 0;
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
    this.#compare(error);
    const failed = failedOf(error);
    if (failed.kind === "away") {
      try {
        // Sent by another process, or after a crash, if neither another note nor an answer follows.
        return await this.#keepEnd(stretch, { heldUntil: this.#heldUntil() });
      } finally {
        this.#away();
      }
    }
    if (failed.kind === "timed_out") {
      await this.#keepEnd(stretch);
      return this.#restart();
    }
    await this.#release(stretch, () => this.#over(failed.reason));
  }

  /**
   * The service counts nothing more of a session. If another player has signed in meanwhile, that was the answer to
   * them: what is noted waits for the player who has played it.
   */
  async #release(stretch: Online, over = () => {}): Promise<void> {
    const { user } = this.#parts.queue;
    const isAnswerToOther = stretch.user !== undefined && user !== undefined && stretch.user !== user;
    // Kept first: a store that fails is tried again in the next turn.
    if (isAnswerToOther) await this.#keepEnd(stretch);
    over();
    if (!isAnswerToOther) await this.#forget(stretch);
  }

  /** A new session at the service, in place of one that was offline or has timed out. */
  async #restart(): Promise<void> {
    try {
      const online = await this.#online();
      await this.#note(true);
      this.#stretch = online;
      this.#back();
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      this.#compare(error);
      if (this.#stretch.kind !== "offline") this.#stretch = this.#offline();
      // A game that may not be played any more is not refused in the middle of a session: the import decides.
      if (error instanceof LibraryRefusal && failedOf(error).kind !== "away") return this.#refused(error);
      this.#away();
    }
  }

  /** The service says its time also where it refuses. */
  #compare(error: unknown): void {
    if (error instanceof LibraryRefusal) this.#clock.compare(error.headers.get("Date") ?? undefined);
  }

  #away(): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#notify({ kind: "offline" });
  }

  #back(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#notify({ kind: "online" });
  }

  async #refused(error: LibraryRefusal): Promise<void> {
    await this.#note(true);
    this.#over(error.code);
  }

  #over(reason: string): void {
    clearInterval(this.#timer);
    this.#stretch = { kind: "over" };
    this.#notify({ kind: "over", reason });
  }

  async #end(): Promise<void> {
    if (this.#stretch.kind === "over") return;
    await this.#advance();
    const stretch = this.#stretch;
    if (stretch.kind === "offline") await this.#note(true);
    if (stretch.kind === "online") {
      try {
        const options = { retries: IN_A_HURRY, idempotencyKey: stretch.endKey };
        const { data, response } = await this.#parts.playtime.endSession(stretch.sessionId, options);
        this.#clock.compare(response.headers.get("Date") ?? undefined);
        // It had ended before, at its last heartbeat that arrived: what was played since then is not counted yet.
        if (data.attributes.end_reason === "timeout") await this.#keepEnd(stretch);
        else await this.#forget(stretch);
      } catch (error) {
        this.#compare(error);
        // Also if there is no token: what was played is not lost for that.
        const isRefused = error instanceof LibraryError && failedOf(error).kind === "over";
        if (!isRefused) await this.#keepEnd(stretch);
        else await this.#release(stretch);
      }
    }
    this.#stretch = { kind: "over" };
  }

  async #keepEnd(stretch: Online, { heldUntil = 0, endedAt = this.#clock.nowMs } = {}): Promise<void> {
    const { serverAheadMs } = this.#clock;
    stretch.isNoted = true;
    stretch.user ??= this.#parts.queue.user;
    await this.#parts.queue.addEnd({
      user: stretch.user,
      sessionId: stretch.sessionId,
      idempotencyKey: stretch.endKey,
      product_id: this.#request.product_id,
      device_id: this.#request.device_id ?? null,
      platform: this.#request.platform ?? null,
      playedMs: Math.round(stretch.unackedMs),
      playedFrom: Math.round(stretch.unackedFrom),
      ...(serverAheadMs === undefined ? {} : { serverAheadMs }),
      part: stretch.part,
      endedAt,
      heldUntil,
    });
  }
}
