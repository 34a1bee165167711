/** The client of the Library Service. */
export { LibraryClient } from "./client.js";
export { ForeignAnswer, LibraryError, LibraryRefusal, LibraryUnreachable, TokenUnavailable } from "./errors.js";
export { EVENT_TYPES } from "./generated/messages.js";
export { ERROR_CODES } from "./generated/schemas.js";
export { MemoryEtagStore } from "./http/etags.js";
export { LiveUpdates } from "./live/updates.js";
export { OfflineQueue } from "./offline/queue.js";
export { MemoryQueueStore, WebQueueStore } from "./offline/stores.js";
export { Pages } from "./pages.js";
export { PlaySession } from "./play/session.js";
export { singleFile } from "./saves/downloads.js";
export { Saves } from "./saves/saves.js";
export { Settings } from "./settings/settings.js";
