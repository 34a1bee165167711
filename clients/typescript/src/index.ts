/** The client of the Library Service. */

export type { Answer, CallOptions, Done, ResponseFacts, WriteOptions } from "./calls.js";
export { type ClientOptions, LibraryClient } from "./client.js";
export { ForeignAnswer, LibraryError, LibraryRefusal, LibraryUnreachable, TokenUnavailable } from "./errors.js";
export type * from "./generated/calls.js";
export type * as messages from "./generated/messages.js";
export { EVENT_TYPES, type KnownMessage, type Message } from "./generated/messages.js";
export type * as schemas from "./generated/schemas.js";
export { ERROR_CODES } from "./generated/schemas.js";
export { type EtagStore, MemoryEtagStore, type StoredAnswer } from "./http/etags.js";
export type { RetryPolicy } from "./http/retries.js";
export type { TokenProvider } from "./http/tokens.js";
export type { Fetch } from "./http/transport.js";
export type { Socket, SocketConstructor } from "./live/connection.js";
export type { LiveMessage, UnknownMessage } from "./live/messages.js";
export { type LiveOptions, LiveUpdates } from "./live/updates.js";
export type { ErrorMetas } from "./metas.js";
export type {
  AchievementEntry,
  EndEntry,
  QueueEntry,
  QueueResult,
  RefusalCode,
  SessionEntry,
} from "./offline/entries.js";
export { type FlushReport, OfflineQueue } from "./offline/queue.js";
export { MemoryQueueStore, type QueueStore, WebQueueStore } from "./offline/stores.js";
export { Pages } from "./pages.js";
export type { Pause } from "./pause.js";
export type { PlayNotice, PlayOptions } from "./play/notices.js";
export { PlaySession } from "./play/session.js";
export type { Bytes } from "./saves/contents.js";
export { type DownloadedFile, type DownloadedSave, type DownloadOptions, singleFile } from "./saves/downloads.js";
export { type SaveFile, type SaveSet, Saves } from "./saves/saves.js";
export type { TransferOptions, UploadOutcome } from "./saves/uploads.js";
export { type Layer, Settings } from "./settings/settings.js";
