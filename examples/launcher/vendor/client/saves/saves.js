/** Cloud saves: the generated calls, and whole uploads and downloads. */
import { SavesCalls } from "../generated/calls.js";
import { given } from "../given.js";
import { entryOf, sha256, sizeOf } from "./contents.js";
import { Download } from "./downloads.js";
import { Upload } from "./uploads.js";
export class Saves extends SavesCalls {
    #parts;
    constructor(sender, parts) {
        super(sender);
        this.#parts = parts;
    }
    /** Saves one file. Bytes that are stored already are not sent again. */
    async upload(about, bytes, options = {}) {
        const hash = await sha256(bytes);
        const attributes = {
            device_id: this.#parts.deviceId,
            ...given(about),
            file_size_bytes: sizeOf(bytes),
            file_hash_sha256: hash,
        };
        const begin = async () => {
            const { data } = await this.requestUploadUrl(attributes, { signal: options.signal });
            const { internal_save_id, upload_required, upload_url, method, headers } = data.attributes;
            if (!upload_required)
                return { id: internal_save_id, missingCount: 0, missingBytes: 0, contents: [] };
            const size = sizeOf(bytes);
            const content = {
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
    async uploadSet(about, files, options = {}) {
        const contents = new Map();
        const entries = [];
        for (const [path, bytes] of Object.entries(files)) {
            const entry = await entryOf(path, bytes);
            contents.set(entry.sha256, bytes);
            entries.push(entry);
        }
        const begin = async () => {
            const attributes = { device_id: this.#parts.deviceId, ...given(about), files: entries };
            const { data } = await this.beginUpload(attributes, { signal: options.signal });
            const { missing_count, missing_bytes, uploads } = data.attributes;
            return { id: data.id, missingCount: missing_count, missingBytes: missing_bytes, contents: uploads };
        };
        return this.#upload(begin, contents, options);
    }
    /** Downloads a version. Report it with `reportSynced` when the bytes are where the game reads them. */
    download(savegameId, options = {}) {
        return new Download(this, this.#parts.store, savegameId, {
            deviceId: this.#parts.deviceId,
            ...given(options),
        }).run();
    }
    #upload(begin, contents, options) {
        const parts = { calls: this, store: this.#parts.store, pause: this.#parts.pause };
        return new Upload(parts, begin, contents, options).run();
    }
}
