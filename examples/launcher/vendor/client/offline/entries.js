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
