/** What a message of the WebSocket is. Plain values, no I/O. */
import { EVENT_TYPES } from "../generated/messages.js";
const KNOWN = new Set(EVENT_TYPES);
/** A message, or undefined for any other text. */
export function readMessage(text) {
    if (typeof text !== "string")
        return undefined;
    try {
        const message = JSON.parse(text);
        const isMessage = typeof message?.event_type === "string" && typeof message.id === "string" && /^\d+$/.test(message.id);
        return isMessage ? message : undefined;
    }
    catch {
        return undefined;
    }
}
/** A message as its reader gets it; undefined for those of the connection itself. */
export function liveMessage(message) {
    const { event_type, ...others } = message;
    if (event_type === "auth.success" || event_type === "pong")
        return undefined;
    if (KNOWN.has(event_type))
        return message;
    return { ...others, event_type: "unknown", unknown_type: event_type };
}
/**
 * Whether a message comes after the cursor. Ids are numbers of any length. A `resync.required` is always new: its id is
 * lower than the cursor if the stream was restored from a backup.
 */
export function isAfter(message, cursor) {
    return message.event_type === "resync.required" || cursor === undefined || BigInt(message.id) > BigInt(cursor);
}
