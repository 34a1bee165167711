/** The offline queue: what was played and unlocked without the service, sent when it can be reached. */

import type { CallOptions } from "../calls.js";
import { ForeignAnswer, LibraryError, LibraryRefusal } from "../errors.js";
import type { AchievementsCalls, PlaytimeCalls } from "../generated/calls.js";
import type { OfflineAchievement, OfflineSession } from "../generated/schemas.js";
import { given } from "../given.js";
import { newId } from "../ids.js";
import {
  type AchievementEntry,
  batchesOf,
  type EndEntry,
  halvesOf,
  isHeld,
  movedOf,
  type QueueEntry,
  type QueueResult,
  type RefusalCode,
  restOf,
  type SessionEntry,
} from "./entries.js";
import { Failures } from "./failures.js";
import type { QueueStore } from "./stores.js";

export interface FlushReport {
  readonly results: QueueResult[];
  /** Why entries are still in the queue; undefined if they only wait for their time, or if there are none. */
  readonly error: LibraryError | undefined;
}

/** One element of an import, as the service reports it. */
interface Outcome {
  readonly result: "accepted" | "duplicate" | "rejected";
  readonly code: string | null;
}

/** Whose work is kept and sent. */
export interface QueueOwner {
  /** The player's id, without asking anybody; undefined if it is not known yet. */
  known(): string | undefined;
  /** The player's id, by the token that requests have; undefined if that names nobody. */
  asked(): Promise<{
    readonly user: string | undefined;
    /** Of the requests that send what is theirs. */
    readonly options: CallOptions;
  }>;
}

export interface QueueParts {
  readonly store: QueueStore;
  readonly playtime: PlaytimeCalls;
  readonly achievements: AchievementsCalls;
  readonly owner: QueueOwner;
  readonly now?: () => number;
}

/** A session that the service still takes for running is not ended by a report that is older than this. */
const FRESH_MS = 5_000;

export class OfflineQueue {
  readonly #store: QueueStore;
  readonly #playtime: PlaytimeCalls;
  readonly #achievements: AchievementsCalls;
  readonly #owner: QueueOwner;
  readonly #now: () => number;
  #flushing: Promise<FlushReport> | undefined;
  /** Of the requests of the run: another player may sign in while it waits for an answer. */
  #options: CallOptions = {};
  #next: Promise<FlushReport> | undefined;

  constructor({ store, playtime, achievements, owner, now = Date.now }: QueueParts) {
    this.#store = store;
    this.#playtime = playtime;
    this.#achievements = achievements;
    this.#owner = owner;
    this.#now = now;
  }

  /** The player who is signed in; undefined if that is not known yet. */
  get user(): string | undefined {
    return this.#owner.known();
  }

  /** Everything of this player that is kept: what waits, and with a `code` what the service has refused. */
  async entries(): Promise<QueueEntry[]> {
    const { user } = this;
    return (await this.#store.load()).filter((entry) => isOf(entry, user));
  }

  /** Lets refused entries be sent again, such as after the player has access again. */
  async retry(...ids: readonly string[]): Promise<void> {
    for (const { code, ...entry } of await this.entries()) {
      if (code !== undefined && ids.includes(entry.id)) await this.#store.put(entry);
    }
  }

  /** Removes entries, such as refused ones. */
  discard(...ids: readonly string[]): Promise<void> {
    return this.#store.remove(ids);
  }

  /**
   * Keeps a session. `heldUntil`: it still grows, and is sent if it was not noted again until then. `user`: who has
   * played it, by default the player who is signed in.
   */
  addSession(session: OfflineSession, heldUntil = 0, user?: string): Promise<void> {
    const id = `session-${session.device_id ?? ""}-${session.client_session_id}`;
    return this.#put({ kind: "session", id, session, heldUntil, user });
  }

  /** Keeps an unlock, or progress. The id and the time are made here if they are left out. */
  async addAchievement(
    achievement: Omit<OfflineAchievement, "client_id" | "happened_at"> & Partial<OfflineAchievement>,
  ) {
    const whole = { client_id: newId(), happened_at: new Date(this.#now()).toISOString(), ...given(achievement) };
    await this.#put({ kind: "achievement", id: `achievement-${whole.client_id}`, achievement: whole });
  }

  /** Keeps the end of a session that the service knows, or a part of what it may have missed. */
  addEnd(entry: Omit<EndEntry, "kind" | "id">): Promise<void> {
    return this.#put({ ...entry, kind: "end", id: `end-${entry.sessionId}${entry.part ? `-${entry.part}` : ""}` });
  }

  /** Removes the ends of a session, all of its parts: the service has counted it. */
  async removeEnds(sessionId: string): Promise<void> {
    const ends = (await this.#store.load()).filter((entry) => entry.kind === "end" && entry.sessionId === sessionId);
    await this.#store.remove(ends.map((entry) => entry.id));
  }

  /**
   * Sends what waits. Calls during a run share the one after it, since the first may have passed what they mean. Each
   * result is in the report of one run.
   */
  flush(): Promise<FlushReport> {
    if (this.#next) return this.#next;
    if (!this.#flushing) return this.#run();
    const begin = () => {
      this.#next = undefined;
      return this.#run();
    };
    this.#next = this.#flushing.then(begin, begin);
    return this.#next;
  }

  #run(): Promise<FlushReport> {
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  #put(entry: QueueEntry): Promise<void> {
    const user = entry.user ?? this.user;
    return this.#store.put(user === undefined ? entry : { ...entry, user });
  }

  async #flush(): Promise<FlushReport> {
    const results: QueueResult[] = [];
    const failures = new Failures();
    try {
      const entries = await this.#waiting();
      const of = <K extends QueueEntry["kind"]>(kind: K) =>
        entries.filter((entry): entry is Extract<QueueEntry, { kind: K }> => entry.kind === kind);
      const isDue = (entry: SessionEntry | EndEntry) => !isHeld(entry, this.#now());
      const ended = await this.#ends(of("end").filter(isDue), results, failures);
      const sessions = [...of("session").filter(isDue), ...ended];
      sessions.sort((one, other) => Date.parse(one.session.start_time) - Date.parse(other.session.start_time));
      for (const batch of batchesOf(sessions)) {
        await failures.after(async () => results.push(...(await this.#sessions(batch))));
      }
      const achievements = of("achievement").sort(
        (one, other) => Date.parse(one.achievement.happened_at) - Date.parse(other.achievement.happened_at),
      );
      for (const batch of batchesOf(achievements)) {
        await failures.after(async () => results.push(...(await this.#unlocks(batch))));
      }
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      return { results, error };
    }
    return { results, error: failures.first };
  }

  /** What was not refused. What another player has played in this program waits for that player's token. */
  async #waiting(): Promise<QueueEntry[]> {
    const waiting = (await this.#store.load()).filter((entry) => entry.code === undefined);
    if (waiting.length === 0) return [];
    const { user, options } = await this.#owner.asked();
    this.#options = options;
    return waiting.filter((entry) => isOf(entry, user));
  }

  /** Ends that the service has missed become sessions of the rest; the others are done. */
  async #ends(entries: readonly EndEntry[], results: QueueResult[], failures: Failures): Promise<SessionEntry[]> {
    const rests: SessionEntry[] = [];
    for (const entry of entries) {
      await failures.after(async () => {
        try {
          const rest = await this.#settled(entry, results);
          if (rest) rests.push(rest);
        } catch (error) {
          if (!(error instanceof LibraryRefusal) || error.isTemporary) throw error;
          results.push(await this.#finished(entry, "rejected", error.code));
        }
      });
    }
    return rests;
  }

  /** Settles an end. What it leaves to be sent stands in its place. */
  async #settled(entry: EndEntry, results: QueueResult[]): Promise<SessionEntry | undefined> {
    const ended = await this.#ended(entry);
    if (ended === "runs") return undefined;
    const rest = ended === "counted" ? undefined : restOf(entry, ended.at);
    if (rest) await this.#store.put(rest);
    else results.push(await this.#finished(entry, "accepted", null));
    return rest;
  }

  /** What the service knows of an end: all of it is counted, it ended at its last heartbeat, or it still runs. */
  async #ended(entry: EndEntry): Promise<"counted" | "runs" | { at: string }> {
    const { end_time, end_reason } = (await this.#playtime.getSession(entry.sessionId, this.#options)).data.attributes;
    if (end_time) return end_reason === "timeout" ? { at: end_time } : "counted";
    // Ended now, it would count the time since then as well: it waits for its time-out. So does one whose game has
    // crashed, or is still played by another process.
    const agoMs = this.#now() - entry.endedAt; // below zero: the clock has been set back since then
    if (entry.heldUntil || agoMs < 0 || agoMs > FRESH_MS) return "runs";
    const options = { ...this.#options, idempotencyKey: entry.idempotencyKey };
    const { data } = await this.#playtime.endSession(entry.sessionId, options);
    // It may have timed out since it was asked for.
    const { end_time: endTime, end_reason: endReason } = data.attributes;
    return endReason === "timeout" && endTime ? { at: endTime } : "counted";
  }

  async #sessions(batch: SessionEntry[]): Promise<QueueResult[]> {
    return this.#imported(batch, async (part) => {
      const { outcomes, serverMs } = await this.#import(part);
      const badTimes = [...outcomes.keys()].filter((index) => outcomes[index]?.code === "VALIDATION_ERROR");
      const moved = movedOf(part, new Set(badTimes), this.#now(), serverMs);
      if (moved.size === 0) return outcomes;
      // Kept first: a crash after this import repeats the same one.
      for (const entry of moved.values()) await this.#store.put(entry);
      const later = (await this.#import([...moved.values()])).outcomes;
      for (const [place, index] of [...moved.keys()].entries()) outcomes[index] = later[place] ?? outcomes[index];
      return outcomes;
    });
  }

  async #import(part: readonly SessionEntry[]) {
    const sessions = part.map((entry) => entry.session);
    const { data, response } = await this.#playtime.importSessions({ sessions }, this.#options);
    const outcomes: (Outcome | undefined)[] = data.map((one) => one.attributes);
    return { outcomes, serverMs: Date.parse(response.headers.get("Date") ?? "") };
  }

  async #unlocks(batch: AchievementEntry[]): Promise<QueueResult[]> {
    return this.#imported(batch, async (part) => {
      const achievements = part.map((entry) => entry.achievement);
      const { data } = await this.#achievements.importAchievements({ achievements }, this.#options);
      return data.map((one) => one.attributes);
    });
  }

  /** Imports a batch. One that is refused as a whole is halved until the element is found for which it is. */
  async #imported<E extends QueueEntry>(
    batch: E[],
    send: (part: E[]) => Promise<(Outcome | undefined)[]>,
  ): Promise<QueueResult[]> {
    let outcomes: (Outcome | undefined)[];
    try {
      outcomes = await send(batch);
    } catch (error) {
      if (!(error instanceof LibraryRefusal) || error.isTemporary) throw error;
      const [entry] = batch;
      if (batch.length === 1 && entry) return [await this.#finished(entry, "rejected", error.code)];
      const [first, second] = halvesOf(batch);
      return [...(await this.#imported(first, send)), ...(await this.#imported(second, send))];
    }
    if (outcomes.length !== batch.length) throw new ForeignAnswer("an import has not answered each element", 200);
    const results: QueueResult[] = batch.map((entry, index) => {
      const outcome = outcomes[index];
      return resultOf(entry, outcome?.result ?? "rejected", (outcome?.code ?? null) as RefusalCode | null);
    });
    await this.#finish(results);
    return results;
  }

  async #finished(entry: QueueEntry, result: QueueResult["result"], code: RefusalCode | null): Promise<QueueResult> {
    const finished = resultOf(entry, result, code);
    await this.#finish([finished]);
    return finished;
  }

  /** Removes what is done, which also makes room; what was refused stays, with the reason. */
  async #finish(results: readonly QueueResult[]): Promise<void> {
    await this.#store.remove(results.filter((one) => one.result !== "rejected").map((one) => one.entry.id));
    for (const { entry, result } of results) if (result === "rejected") await this.#store.put(entry);
  }
}

/** Whether an entry is this player's. One that names nobody is sent by the first token that there is. */
function isOf(entry: QueueEntry, user: string | undefined): boolean {
  return entry.user === undefined || entry.user === user;
}

function resultOf(entry: QueueEntry, result: QueueResult["result"], reason: RefusalCode | null): QueueResult {
  if (result !== "rejected") return { entry, result, code: null };
  const code = reason ?? "UNKNOWN";
  return { entry: { ...entry, code }, result, code };
}
