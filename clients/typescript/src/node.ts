/** What only Node has: an offline queue on disk. Import it from `@gameshelf/client/node`. */

import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "./ids.js";
import { batchesOf, type QueueEntry } from "./offline/entries.js";
import { type QueueStore, readEntry } from "./offline/stores.js";

/** A draft is renamed at once: one that is older was left by a process that has died. */
const OLD_DRAFT_MS = 3_600_000;

/** Keeps each entry in a file of its own. Several processes may use the same folder. */
export class FileQueueStore implements QueueStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(): Promise<QueueEntry[]> {
    const names = await readdir(this.#folder).catch(missing([] as string[]));
    await this.#removeOldDrafts(names);
    const entries: QueueEntry[] = [];
    // Some at a time: a process may have a thousand files open, and a queue more of them.
    for (const some of batchesOf(names.filter((name) => name.endsWith(".json")))) {
      // One that can't be read, as on a disk that is damaged, must not hold up the others. It stays where it is.
      const texts = some.map((name) => readFile(join(this.#folder, name), "utf-8").catch(() => null));
      entries.push(...(await Promise.all(texts)).flatMap(readEntry));
    }
    return entries;
  }

  /** Written beside it, flushed and renamed: a machine that loses power has the old entry or the new one. */
  async put(entry: QueueEntry): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#path(entry.id);
    // A name of its own: another process may be writing the same entry.
    const draft = `${path}.${newId()}.new`;
    try {
      const file = await open(draft, "wx");
      try {
        await file.writeFile(JSON.stringify(entry));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => rm(this.#path(id), { force: true })));
  }

  async #removeOldDrafts(names: readonly string[]): Promise<void> {
    for (const name of names.filter((one) => one.endsWith(".new"))) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(missing(undefined));
      if (found && Date.now() - found.mtimeMs > OLD_DRAFT_MS) await rm(path, { force: true });
    }
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
