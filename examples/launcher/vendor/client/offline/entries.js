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
/**
 * The session that the service has not counted: what was played after its last heartbeat. It begins where the service
 * says that the session has ended, so that the clock of this machine does not matter. Its id follows from the session's,
 * so it counts once.
 */
export function restOf(entry, endTime) {
    if (entry.playedMs < 1_000)
        return undefined;
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
