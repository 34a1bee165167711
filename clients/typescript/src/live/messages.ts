/** What a message of the WebSocket is. Plain values, no I/O. */

import { type AuthSuccess, EVENT_TYPES, type KnownMessage, type Message, type Pong } from "../generated/messages.js";

/** A message of a type that is newer than this client. */
export interface UnknownMessage extends Omit<Message, "event_type"> {
  event_type: "unknown";
  /** The type that the service names. */
  unknown_type: string;
}

/** What live updates consist of. `event_type` says which of them it is, and so which `payload` it has. */
export type LiveMessage = Exclude<KnownMessage, AuthSuccess | Pong> | UnknownMessage;

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES);

/** A message, or undefined for any other text. */
export function readMessage(text: unknown): Message | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const message: Partial<Message> | null = JSON.parse(text);
    const isMessage =
      typeof message?.event_type === "string" && typeof message.id === "string" && /^\d+$/.test(message.id);
    return isMessage ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}

/** A message as its reader gets it; undefined for those of the connection itself. */
export function liveMessage(message: Message): LiveMessage | undefined {
  const { event_type, ...others } = message;
  if (event_type === "auth.success" || event_type === "pong") return undefined;
  if (KNOWN.has(event_type)) return message as LiveMessage;
  return { ...others, event_type: "unknown", unknown_type: event_type };
}

/**
 * Whether a message comes after the cursor. Ids are numbers of any length. A `resync.required` is always new: its id is
 * lower than the cursor if the stream was restored from a backup.
 */
export function isAfter(message: Message, cursor: string | undefined): boolean {
  return message.event_type === "resync.required" || cursor === undefined || BigInt(message.id) > BigInt(cursor);
}
