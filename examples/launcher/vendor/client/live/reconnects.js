/** Decides what follows the end of a connection. Plain values, no I/O. */
import { pauseSeconds } from "../http/retries.js";
/** A connection that lived this long has worked: the pauses begin from the shortest again. */
const WORKED_SECONDS = 10;
export const UNAUTHENTICATED = 4401;
const TOO_MANY = 4429;
/** How many connections in a row have failed, this one included. */
export function failuresAfter(connected, failures) {
    return connected.isAccepted && connected.seconds >= WORKED_SECONDS ? 1 : failures + 1;
}
/** Whether the next connection may come before its pause is over: not where the service has asked for the pause. */
export function mayBeSooner(ended) {
    return typeof ended !== "object" || ended.code !== TOO_MANY;
}
/** The pause before the next connection. Limits count whole minutes, so the next one is waited for. */
export function reconnectSeconds(ended, failures, policy, nowMs, random) {
    const askedSeconds = mayBeSooner(ended) ? undefined : 60 - ((nowMs / 1000) % 60);
    // Connections are tried for ever: the tries only make the pauses longer, up to the longest.
    const state = { tried: Math.min(failures, 30), elapsedSeconds: 0, askedSeconds };
    return (pauseSeconds(state, { ...policy, tries: Number.POSITIVE_INFINITY, totalSeconds: Number.POSITIVE_INFINITY }, random) ?? 0);
}
/** Whether a connection from which nothing has come for so long is dead, by either clock: one may stand in a sleep. */
export function isSilent(since, now, limitSeconds) {
    return Math.max(now.wallMs - since.wallMs, now.steadyMs - since.steadyMs) > limitSeconds * 1000;
}
