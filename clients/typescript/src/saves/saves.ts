/** Cloud saves: the generated calls, and whole uploads and downloads. */

import type { Sender } from "../calls.js";
import { SavesCalls } from "../generated/calls.js";
import type { FileEntry, MissingContent, NewSet, NewUpload } from "../generated/schemas.js";
import { given } from "../given.js";
import type { Pause } from "../pause.js";
import { type Bytes, entryOf, sha256, sizeOf } from "./contents.js";
import { Download, type DownloadedSave, type DownloadOptions } from "./downloads.js";
import type { SaveStore } from "./store.js";
import { type Ticket, type TransferOptions, Upload, type UploadOutcome } from "./uploads.js";

/** What a save that is a single file has besides its bytes. */
export type SaveFile = Omit<NewUpload, "file_size_bytes" | "file_hash_sha256">;
/** What a set has besides its files. */
export type SaveSet = Omit<NewSet, "files" | "put" | "remove" | "set_sha256">;

export interface SavesParts {
  readonly store: SaveStore;
  readonly pause: Pause;
  readonly deviceId: string | null;
}

export class Saves extends SavesCalls {
  readonly #parts: SavesParts;

  constructor(sender: Sender, parts: SavesParts) {
    super(sender);
    this.#parts = parts;
  }

  /** Saves one file. Bytes that are stored already are not sent again. */
  async upload(about: SaveFile, bytes: Bytes, options: TransferOptions = {}): Promise<UploadOutcome> {
    const hash = await sha256(bytes);
    const attributes = {
      device_id: this.#parts.deviceId,
      ...given(about),
      file_size_bytes: sizeOf(bytes),
      file_hash_sha256: hash,
    };
    const begin = async (): Promise<Ticket> => {
      const { data } = await this.requestUploadUrl(attributes, { signal: options.signal });
      const { internal_save_id, upload_required, upload_url, method, headers } = data.attributes;
      if (!upload_required) return { id: internal_save_id, missingCount: 0, missingBytes: 0, contents: [] };
      const size = sizeOf(bytes);
      const content: MissingContent = {
        sha256: hash,
        size_bytes: size,
        method,
        upload_url,
        headers,
        part_size_bytes: null,
        parts: [],
      };
      return { id: internal_save_id, missingCount: 1, missingBytes: size, contents: [content] };
    };
    return this.#upload(begin, new Map([[hash, bytes]]), options);
  }

  /** Saves a set of files by their paths. Only contents that are not stored yet are sent. */
  async uploadSet(about: SaveSet, files: Readonly<Record<string, Bytes>>, options: TransferOptions = {}) {
    const contents = new Map<string, Bytes>();
    const entries: FileEntry[] = [];
    for (const [path, bytes] of Object.entries(files)) {
      const entry = await entryOf(path, bytes);
      contents.set(entry.sha256, bytes);
      entries.push(entry);
    }
    const begin = async (): Promise<Ticket> => {
      const attributes = { device_id: this.#parts.deviceId, ...given(about), files: entries };
      const { data } = await this.beginUpload(attributes, { signal: options.signal });
      const { missing_count, missing_bytes, uploads } = data.attributes;
      return { id: data.id, missingCount: missing_count, missingBytes: missing_bytes, contents: uploads };
    };
    return this.#upload(begin, contents, options);
  }

  /** Downloads a version. Report it with `reportSynced` when the bytes are where the game reads them. */
  download(savegameId: string, options: DownloadOptions = {}): Promise<DownloadedSave> {
    return new Download(this, this.#parts.store, savegameId, {
      deviceId: this.#parts.deviceId,
      ...given(options),
    }).run();
  }

  #upload(begin: () => Promise<Ticket>, contents: ReadonlyMap<string, Bytes>, options: TransferOptions) {
    const parts = { calls: this, store: this.#parts.store, pause: this.#parts.pause };
    return new Upload(parts, begin, contents, options).run();
  }
}
