/** Downloads: a version's files, each verified by its hash. */

import { ForeignAnswer, LibraryUnreachable } from "../errors.js";
import type { SavesCalls } from "../generated/calls.js";
import type { DownloadFile } from "../generated/schemas.js";
import { sha256 } from "./contents.js";
import { inParallel } from "./parallel.js";
import { type SaveStore, SignatureRefused } from "./store.js";
import type { TransferOptions } from "./uploads.js";

export interface DownloadedFile extends Omit<DownloadFile, "download_url"> {
  /** The stored bytes; undefined for a file that the device has already. */
  readonly bytes: Uint8Array | undefined;
}

export interface DownloadedSave {
  readonly savegameId: string;
  readonly version: number;
  /** The files of a set; a save that is a single file has one, whose path is null. */
  readonly files: DownloadedFile[];
}

export interface DownloadOptions extends TransferOptions {
  /** The head, if it is left out. */
  version?: number;
  deviceId?: string | null;
  /** SHA-256 of bytes that the device has. */
  have?: readonly string[];
}

/** URLs that the service signs at once. */
const MOST_WANTED = 100;
/** Hashes that a request may name; more of them are left out here alone. */
const MOST_HAVE = 1_000;
const MOST_ROUNDS = 3;

export class Download {
  readonly #calls: SavesCalls;
  readonly #store: SaveStore;
  readonly #id: string;
  readonly #options: DownloadOptions;

  constructor(calls: SavesCalls, store: SaveStore, savegameId: string, options: DownloadOptions) {
    this.#calls = calls;
    this.#store = store;
    this.#id = savegameId;
    this.#options = options;
  }

  async run(): Promise<DownloadedSave> {
    const have = new Set(this.#options.have);
    const { version, files } = await this.#list({ have: [...have].slice(0, MOST_HAVE) }, this.#options.version);
    // Files with the same content have one URL's worth of bytes.
    const wanted = new Map(files.filter((file) => !have.has(file.sha256)).map((file) => [file.sha256, file]));
    const contents = new Map<string, Uint8Array>();
    const sizeOf = (hash: string) => wanted.get(hash)?.size_bytes ?? 0;
    const progress = { doneBytes: 0, totalBytes: [...wanted.values()].reduce((sum, file) => sum + file.size_bytes, 0) };
    const urls = new Map<string, string>();
    for (const { sha256: hash, download_url } of files)
      if (download_url && wanted.has(hash)) urls.set(hash, download_url);
    for (let idle = 0; contents.size < wanted.size; ) {
      const before = contents.size;
      await this.#fetchSome(urls, sizeOf, contents, (bytes) => {
        progress.doneBytes += bytes;
        return this.#options.onProgress?.({ ...progress });
      });
      const missing = [...wanted.keys()].filter((hash) => !contents.has(hash)).slice(0, MOST_WANTED);
      idle = contents.size > before ? 0 : idle + 1;
      if (idle === MOST_ROUNDS) throw new LibraryUnreachable(`${missing.length} contents of the save do not arrive`);
      urls.clear();
      if (missing.length === 0) break;
      for (const file of (await this.#list({ want: missing }, version)).files) {
        if (file.download_url) urls.set(file.sha256, file.download_url);
      }
    }
    return {
      savegameId: this.#id,
      version,
      files: files.map(({ download_url: _, ...file }) => ({ ...file, bytes: contents.get(file.sha256) })),
    };
  }

  async #list(more: { have?: string[]; want?: string[] }, version: number | undefined) {
    const attributes = {
      ...more,
      ...(version === undefined ? {} : { version }),
      device_id: this.#options.deviceId ?? null,
    };
    const { data } = await this.#calls.downloadSave(this.#id, attributes, { signal: this.#options.signal });
    return data.attributes;
  }

  /** Fetches contents, some at a time. One whose URL has expired, or whose bytes are damaged, is left out. */
  async #fetchSome(
    urls: ReadonlyMap<string, string>,
    sizeOf: (hash: string) => number,
    contents: Map<string, Uint8Array>,
    done: (bytes: number) => unknown,
  ): Promise<void> {
    await inParallel(urls, this.#options.parallel ?? 4, this.#options.signal, async ([hash, url], signal) => {
      try {
        const bytes = await this.#store.send({ method: "GET", url, sizeBytes: sizeOf(hash) }, signal);
        if ((await sha256(bytes)) !== hash) return;
        contents.set(hash, bytes);
        await done(bytes.byteLength);
      } catch (error) {
        if (!(error instanceof SignatureRefused)) throw error;
      }
    });
  }
}

/** The bytes of a save that is a single file. */
export function singleFile(save: DownloadedSave): Uint8Array {
  const [file, ...others] = save.files;
  if (!file?.bytes || file.path !== null || others.length > 0)
    throw new ForeignAnswer("the save is a set of files", 200);
  return file.bytes;
}
