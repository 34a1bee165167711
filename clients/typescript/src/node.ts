/** What only Node has: an offline queue on disk. Import it from `@gameshelf/client/node`. */

import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { QueueEntry } from "./offline/entries.js";
import { type QueueStore, readEntry } from "./offline/stores.js";

/** Keeps each entry in a file of its own. */
export class FileQueueStore implements QueueStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(): Promise<QueueEntry[]> {
    const names = await readdir(this.#folder).catch(missing([] as string[]));
    const texts = names
      .filter((name) => name.endsWith(".json"))
      .map((name) => readFile(join(this.#folder, name), "utf-8").catch(missing(null)));
    return (await Promise.all(texts)).flatMap(readEntry);
  }

  /** Written beside it, flushed and renamed: a machine that loses power has the old entry or the new one. */
  async put(entry: QueueEntry): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#path(entry.id);
    const file = await open(`${path}.new`, "w");
    try {
      await file.writeFile(JSON.stringify(entry));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  async remove(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => rm(this.#path(id), { force: true })));
  }

  #path(id: string): string {
    return join(this.#folder, `${encodeURIComponent(id)}.json`);
  }
}

function missing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
