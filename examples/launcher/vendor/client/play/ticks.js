/** Decides what a heartbeat's turn means. Plain values, no I/O. */
import { LibraryError, LibraryRefusal } from "../errors.js";
/** Browsers wake a hidden page once a minute, and may miss a turn: that is no sleep, however short the interval is. */
const LONGEST_AWAKE_MS = 150_000;
/**
 * How much of the time between two turns was played. A gap of more than two intervals is a sleep of the machine, of
 * which nothing counts: like the service, which counts a session until its last heartbeat.
 */
export function playedMs(gapMs, intervalMs) {
    const isAwake = gapMs <= Math.max(2 * intervalMs, LONGEST_AWAKE_MS);
    return isAwake ? { playedMs: gapMs, sleptMs: 0 } : { playedMs: 0, sleptMs: gapMs };
}
/**
 * How long a session that is noted is held for its game: longer than any gap that is no sleep. Sent before, it could not
 * grow any more, since what the service has imported by an id has to stay the same.
 */
export function heldMs(intervalMs) {
    return Math.max(3 * intervalMs, LONGEST_AWAKE_MS + intervalMs);
}
export function failedOf(error) {
    if (!(error instanceof LibraryError))
        throw error;
    if (!(error instanceof LibraryRefusal) || error.isTemporary || error.status === 401)
        return { kind: "away" };
    if (error.is("SESSION_ALREADY_ENDED") && error.meta.end_reason === "timeout") {
        return { kind: "timed_out", endTime: error.meta.end_time };
    }
    const reason = error.is("SESSION_ALREADY_ENDED") ? error.meta.end_reason : error.code;
    return { kind: "over", reason: reason === "FAMILY_SEAT_LOST" ? "seat_lost" : reason };
}
