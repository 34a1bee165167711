/** What an offline queue holds, and how it is sent. Plain values, no I/O. */

import type { ErrorCode, OfflineAchievement, OfflineSession } from "../generated/schemas.js";

/** What every entry has. */
interface Kept {
  readonly id: string;
  /** The player that it is of: the token of another one does not send it. Undefined where that was not known. */
  readonly user?: string | undefined;
  /** Why the service has refused it. It stays, and is sent again only after `retry`. */
  readonly code?: RefusalCode;
}

/** `UNKNOWN`: the service has given no reason. */
export type RefusalCode = ErrorCode | "UNKNOWN";

/** A session that was played while the service could not be reached. */
export interface SessionEntry extends Kept {
  readonly kind: "session";
  readonly session: OfflineSession;
  /**
   * Until when it may still grow, in milliseconds: a running game notes its session again and again, so that a crash
   * loses a minute and not an evening. 0: it has ended.
   */
  readonly heldUntil: number;
}

/** The end of a session that the service knows, and may have missed. */
export interface EndEntry extends Kept {
  readonly kind: "end";
  readonly sessionId: string;
  readonly idempotencyKey: string;
  readonly product_id: string;
  readonly device_id: string | null;
  readonly platform: string | null;
  /** Milliseconds that were played, without a break, after the last heartbeat that was answered. */
  readonly playedMs: number;
  /** When that began, in milliseconds by the clock of this machine. */
  readonly playedFrom?: number;
  /** What the clock of the service is ahead of this machine's; undefined if it is not known. */
  readonly serverAheadMs?: number;
  /** Each sleep of the machine without the network begins another part. */
  readonly part?: number;
  /** When the session ended, in milliseconds by the clock of this machine. */
  readonly endedAt: number;
  /** Until when it may still grow, or be removed because a heartbeat is answered. 0, or undefined: it has ended. */
  readonly heldUntil?: number;
}

/** An unlock, or progress, of an achievement. */
export interface AchievementEntry extends Kept {
  readonly kind: "achievement";
  readonly achievement: OfflineAchievement;
}

export type QueueEntry = SessionEntry | EndEntry | AchievementEntry;

/** What became of an entry. It has left the queue, unless it was rejected: then it stays there with its `code`. */
export interface QueueResult {
  readonly entry: QueueEntry;
  readonly result: "accepted" | "duplicate" | "rejected";
  /** Why it was rejected. */
  readonly code: RefusalCode | null;
}

/** The most that an import takes. */
export const BATCH = 100;

export function batchesOf<T>(entries: readonly T[], size = BATCH): T[][] {
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, index) =>
    entries.slice(index * size, (index + 1) * size),
  );
}

/** Halves of a batch that was refused as a whole: in one of them is what the service does not take. */
export function halvesOf<T>(batch: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}

/** Clocks that differ by less are the same: times of the service are whole seconds, and an answer takes its time. */
export const CLOCK_SLACK_MS = 3_000;

/**
 * What was played after the service has ended a session. The answer to its last heartbeat may have been lost: what was
 * played before that is counted.
 */
function uncounted({ playedMs, playedFrom, serverAheadMs }: EndEntry, endMs: number): { fromMs: number; ms: number } {
  if (playedFrom === undefined || serverAheadMs === undefined) return { fromMs: endMs, ms: playedMs };
  const beganMs = playedFrom + serverAheadMs;
  if (Math.abs(beganMs - endMs) <= CLOCK_SLACK_MS) return { fromMs: endMs, ms: playedMs };
  // It began later only where the machine has slept before it.
  return beganMs > endMs ? { fromMs: beganMs, ms: playedMs } : { fromMs: endMs, ms: beganMs + playedMs - endMs };
}

/**
 * The session that the service has not counted. It begins where the service says that the session has ended, so that a
 * clock of this machine that is a little off does not matter. Its id follows from the session's, so it counts once.
 */
export function restOf(entry: EndEntry, endTime: string): SessionEntry | undefined {
  const { fromMs, ms } = uncounted(entry, Date.parse(endTime));
  if (ms < 1_000) return undefined;
  return {
    kind: "session",
    id: entry.id,
    ...(entry.user === undefined ? {} : { user: entry.user }),
    heldUntil: 0,
    session: {
      client_session_id: `${entry.sessionId}:rest${entry.part || ""}`,
      product_id: entry.product_id,
      device_id: entry.device_id,
      platform: entry.platform,
      start_time: fromMs === Date.parse(endTime) ? endTime : new Date(fromMs).toISOString(),
      end_time: new Date(fromMs + ms).toISOString(),
    },
  };
}

/** Longer than any game holds its entry: the clock of the machine has been set back since. */
const LONGEST_HELD_MS = 86_400_000;

/** Whether a game may still be running, and note its entry again. */
export function isHeld({ heldUntil = 0 }: SessionEntry | EndEntry, nowMs: number): boolean {
  return nowMs < heldUntil && heldUntil <= nowMs + LONGEST_HELD_MS;
}

/** What the service takes a clock to be off by; it refuses times that are later than that. */
const CLOCK_LEAD_MS = 300_000;

/** When something was played, in milliseconds. */
interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Sessions whose times were refused, by their places in the import, moved to when they were played: by what the clock
 * of this machine is off, and at most to now. Those whose times are not of a wrong clock are left out.
 *
 * None is moved into another one: what overlaps counts once. What comes later in the import was played later.
 */
export function movedOf(
  entries: readonly SessionEntry[],
  refused: ReadonlySet<number>,
  nowMs: number,
  serverMs: number,
): Map<number, SessionEntry> {
  const taken = entries.filter((_, index) => !refused.has(index)).map(spanOf);
  const moved: [number, SessionEntry][] = [];
  for (const [index, entry] of [...entries.entries()].reverse()) {
    const span = spanOf(entry);
    const byMs = refused.has(index) ? clockErrorOf(span, nowMs, serverMs) : undefined;
    if (byMs === undefined) continue;
    const { startMs, endMs } = latestFree({ startMs: span.startMs - byMs, endMs: span.endMs - byMs }, taken);
    taken.push({ startMs, endMs });
    const times = { start_time: new Date(startMs).toISOString(), end_time: new Date(endMs).toISOString() };
    moved.push([index, { ...entry, session: { ...entry.session, ...times } }]);
  }
  return new Map(moved.reverse());
}

/** What the clock was ahead when a session was noted; undefined if its times are not those of a wrong clock. */
function clockErrorOf({ endMs }: Span, nowMs: number, serverMs: number): number | undefined {
  const errors: number[] = [];
  if (Math.abs(nowMs - serverMs) > CLOCK_LEAD_MS) errors.push(nowMs - serverMs);
  // The clock may have been set right since then.
  if (endMs - serverMs > CLOCK_LEAD_MS) errors.push(endMs - serverMs);
  return errors.length > 0 ? Math.max(...errors) : undefined;
}

function spanOf({ session }: SessionEntry): Span {
  return { startMs: Date.parse(session.start_time), endMs: Date.parse(session.end_time) };
}

/** The last time, at most the given one, that has place for as much. */
function latestFree({ startMs, endMs }: Span, taken: readonly Span[]): Span {
  const lengthMs = endMs - startMs;
  let freeMs = endMs;
  for (const other of [...taken].sort((one, another) => another.startMs - one.startMs)) {
    if (other.startMs < freeMs && freeMs - lengthMs < other.endMs) freeMs = other.startMs;
  }
  return { startMs: freeMs - lengthMs, endMs: freeMs };
}
