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
export const CLOCK_SLACK_MS = 3_000;
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
/** Longer than any game holds its entry: the clock of the machine has been set back since. */
const LONGEST_HELD_MS = 86_400_000;
/** Whether a game may still be running, and note its entry again. */
export function isHeld({ heldUntil = 0 }, nowMs) {
    return nowMs < heldUntil && heldUntil <= nowMs + LONGEST_HELD_MS;
}
/** What the service takes a clock to be off by; it refuses times that are later than that. */
const CLOCK_LEAD_MS = 300_000;
/**
 * Sessions whose times were refused, by their places in the import, moved to when they were played: by what the clock
 * of this machine is off, and at most to now. Those whose times are not of a wrong clock are left out.
 *
 * None is moved into another one: what overlaps counts once. What comes later in the import was played later.
 */
export function movedOf(entries, refused, nowMs, serverMs) {
    const taken = entries.filter((_, index) => !refused.has(index)).map(spanOf);
    const moved = [];
    for (const [index, entry] of [...entries.entries()].reverse()) {
        const span = spanOf(entry);
        const byMs = refused.has(index) ? clockErrorOf(span, nowMs, serverMs) : undefined;
        if (byMs === undefined)
            continue;
        const { startMs, endMs } = latestFree({ startMs: span.startMs - byMs, endMs: span.endMs - byMs }, taken);
        taken.push({ startMs, endMs });
        const times = { start_time: new Date(startMs).toISOString(), end_time: new Date(endMs).toISOString() };
        moved.push([index, { ...entry, session: { ...entry.session, ...times } }]);
    }
    return new Map(moved.reverse());
}
/** What the clock was ahead when a session was noted; undefined if its times are not those of a wrong clock. */
function clockErrorOf({ endMs }, nowMs, serverMs) {
    const errors = [];
    if (Math.abs(nowMs - serverMs) > CLOCK_LEAD_MS)
        errors.push(nowMs - serverMs);
    // The clock may have been set right since then.
    if (endMs - serverMs > CLOCK_LEAD_MS)
        errors.push(endMs - serverMs);
    return errors.length > 0 ? Math.max(...errors) : undefined;
}
function spanOf({ session }) {
    return { startMs: Date.parse(session.start_time), endMs: Date.parse(session.end_time) };
}
/** The last time, at most the given one, that has place for as much. */
function latestFree({ startMs, endMs }, taken) {
    const lengthMs = endMs - startMs;
    let freeMs = endMs;
    for (const other of [...taken].sort((one, another) => another.startMs - one.startMs)) {
        if (other.startMs < freeMs && freeMs - lengthMs < other.endMs)
            freeMs = other.startMs;
    }
    return { startMs: freeMs - lengthMs, endMs: freeMs };
}
