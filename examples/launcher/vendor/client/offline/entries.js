/** What an offline queue holds, and how it is sent. Plain values, no I/O. */
/** The most that an import takes. */
export const BATCH = 100;
export function batchesOf(entries, size = BATCH) {
    return Array.from({ length: Math.ceil(entries.length / size) }, (_, index) => entries.slice(index * size, (index + 1) * size));
}
/** Halves of a batch that was refused as a whole: in one of them is what the service does not take. */
export function halvesOf(batch) {
    const middle = Math.ceil(batch.length / 2);
    return [batch.slice(0, middle), batch.slice(middle)];
}
/** Clocks that differ by less are the same: times of the service are whole seconds, and an answer takes its time. */
const CLOCK_SLACK_MS = 3_000;
/**
 * What was played after the service has ended a session. The answer to its last heartbeat may have been lost: what was
 * played before that is counted.
 */
function uncounted({ playedMs, playedFrom, serverAheadMs }, endMs) {
    if (playedFrom === undefined || serverAheadMs === undefined)
        return { fromMs: endMs, ms: playedMs };
    const beganMs = playedFrom + serverAheadMs;
    if (Math.abs(beganMs - endMs) <= CLOCK_SLACK_MS)
        return { fromMs: endMs, ms: playedMs };
    // It began later only where the machine has slept before it.
    return beganMs > endMs ? { fromMs: beganMs, ms: playedMs } : { fromMs: endMs, ms: beganMs + playedMs - endMs };
}
/**
 * The session that the service has not counted. It begins where the service says that the session has ended, so that a
 * clock of this machine that is a little off does not matter. Its id follows from the session's, so it counts once.
 */
export function restOf(entry, endTime) {
    const { fromMs, ms } = uncounted(entry, Date.parse(endTime));
    if (ms < 1_000)
        return undefined;
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
/** What the service takes a clock to be off by; it refuses times that are later than that. */
const CLOCK_LEAD_MS = 300_000;
/**
 * A session whose times were refused, moved to when it was played: by what the clock of this machine is off, and at most
 * to now. Undefined if its times are not those of a wrong clock.
 */
export function movedOf(entry, nowMs, serverMs) {
    const [start, end] = [Date.parse(entry.session.start_time), Date.parse(entry.session.end_time)];
    const aheadMs = Math.abs(nowMs - serverMs) > CLOCK_LEAD_MS ? nowMs - serverMs : 0;
    // The clock may have been set right since then.
    const byMs = Math.max(aheadMs, end - serverMs > CLOCK_LEAD_MS ? end - serverMs : Number.NEGATIVE_INFINITY);
    if (!byMs || !Number.isFinite(byMs))
        return undefined;
    const times = { start_time: new Date(start - byMs).toISOString(), end_time: new Date(end - byMs).toISOString() };
    return { ...entry, session: { ...entry.session, ...times } };
}
