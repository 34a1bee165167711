/** Decides what a heartbeat's turn means. Plain values, no I/O. */
import { LibraryError, LibraryRefusal } from "../errors.js";
/** Browsers wake a hidden page once a minute, and may miss a turn: that is no sleep, however short the interval is. */
const LONGEST_AWAKE_MS = 150_000;
/**
 * How much of the time between two turns was played. A gap of more than two intervals is a sleep of the machine: only
 * one interval of it counts, since it is unknown when in it the machine fell asleep.
 */
export function playedMs(gapMs, intervalMs) {
    if (gapMs <= Math.max(2 * intervalMs, LONGEST_AWAKE_MS))
        return { playedMs: Math.max(0, gapMs), sleptMs: 0 };
    return { playedMs: intervalMs, sleptMs: gapMs - intervalMs };
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
