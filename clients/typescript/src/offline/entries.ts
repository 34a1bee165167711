/** What an offline queue holds, and how it is sent. Plain values, no I/O. */

import type { ErrorCode, OfflineAchievement, OfflineSession } from "../generated/schemas.js";

/** What every entry has. */
interface Kept {
  readonly id: string;
  /** The player that it is of: the token of another one does not send it. Undefined where that was not known. */
  readonly user?: string;
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
  /** Milliseconds that were played after the last heartbeat that was answered. */
  readonly playedMs: number;
  /** When the session ended, in milliseconds by the clock of this machine. */
  readonly endedAt: number;
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

/**
 * The session that the service has not counted: what was played after its last heartbeat. It begins where the service
 * says that the session has ended, so that the clock of this machine does not matter. Its id follows from the session's,
 * so it counts once.
 */
export function restOf(entry: EndEntry, endTime: string): SessionEntry | undefined {
  if (entry.playedMs < 1_000) return undefined;
  return {
    kind: "session",
    id: entry.id,
    ...(entry.user === undefined ? {} : { user: entry.user }),
    heldUntil: 0,
    session: {
      client_session_id: `${entry.sessionId}:rest`,
      product_id: entry.product_id,
      device_id: entry.device_id,
      platform: entry.platform,
      start_time: endTime,
      end_time: new Date(Date.parse(endTime) + entry.playedMs).toISOString(),
    },
  };
}

/** What the service takes a clock to be off by; it refuses times that are later than that. */
const CLOCK_LEAD_MS = 300_000;

/**
 * A session whose times were refused, moved to when it was played: by what the clock of this machine is off, and at most
 * to now. Undefined if its times are not those of a wrong clock.
 */
export function movedOf(entry: SessionEntry, nowMs: number, serverMs: number): SessionEntry | undefined {
  const [start, end] = [Date.parse(entry.session.start_time), Date.parse(entry.session.end_time)];
  const aheadMs = Math.abs(nowMs - serverMs) > CLOCK_LEAD_MS ? nowMs - serverMs : 0;
  // The clock may have been set right since then.
  const byMs = Math.max(aheadMs, end - serverMs > CLOCK_LEAD_MS ? end - serverMs : Number.NEGATIVE_INFINITY);
  if (!byMs || !Number.isFinite(byMs)) return undefined;
  const times = { start_time: new Date(start - byMs).toISOString(), end_time: new Date(end - byMs).toISOString() };
  return { ...entry, session: { ...entry.session, ...times } };
}
