/** Where an offline queue is kept. One record per entry, so that two tabs or processes do not overwrite each other. */

import type { QueueEntry } from "./entries.js";

export interface QueueStore {
  /** All entries, in any order. */
  load(): Promise<QueueEntry[]>;
  /** Keeps an entry, in place of one with the same id. It has to be durable when the promise is fulfilled. */
  put(entry: QueueEntry): Promise<void>;
  /** Removes entries. One that is not there is no error. */
  remove(ids: readonly string[]): Promise<void>;
}

/** Keeps entries as long as the program runs. */
export class MemoryQueueStore implements QueueStore {
  readonly #entries = new Map<string, QueueEntry>();

  async load(): Promise<QueueEntry[]> {
    return [...this.#entries.values()];
  }

  async put(entry: QueueEntry): Promise<void> {
    this.#entries.set(entry.id, entry);
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#entries.delete(id);
  }
}

/** Keeps entries in `localStorage`, or another `Storage`. */
export class WebQueueStore implements QueueStore {
  readonly #storage: Storage;
  readonly #prefix: string;

  constructor(storage: Storage, prefix = "gameshelf.queue.") {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  async load(): Promise<QueueEntry[]> {
    const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index) ?? "");
    return keys.filter((key) => key.startsWith(this.#prefix)).flatMap((key) => readEntry(this.#storage.getItem(key)));
  }

  async put(entry: QueueEntry): Promise<void> {
    this.#storage.setItem(this.#prefix + entry.id, JSON.stringify(entry));
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#storage.removeItem(this.#prefix + id);
  }
}

/** The entry of a record; none for a record that is damaged, which must not hold up the others. */
export function readEntry(text: string | null): QueueEntry[] {
  try {
    const entry = JSON.parse(text ?? "null");
    const isEntry = typeof entry?.id === "string" && ["session", "end", "achievement"].includes(entry.kind);
    return isEntry ? [entry as QueueEntry] : [];
  } catch {
    return [];
  }
}
