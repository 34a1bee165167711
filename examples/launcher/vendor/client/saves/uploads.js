/** Uploads: bytes are reserved, sent to the object store, and made a version. */
import { LibraryRefusal, LibraryUnreachable } from "../errors.js";
import { retryAfterSeconds } from "../http/retries.js";
import { sizeOf, slice } from "./contents.js";
import { inParallel } from "./parallel.js";
import { SignatureRefused } from "./store.js";
/** Rounds in which contents that were lost or damaged on the way are sent again. */
const MOST_ROUNDS = 5;
/** Questions in a row by which nothing has become less. */
const MOST_IDLE = 3;
/** Pauses between two questions whether the contents have been compared; a proxy may ask for days. */
const [USUAL_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS] = [2, 60];
/** Uploads that are begun in the place of one that has ended. */
const MOST_BEGUN = 10;
export class Upload {
    #parts;
    #open;
    /** The bytes of a content, by its SHA-256. */
    #contents;
    #options;
    #progress = { doneBytes: 0, totalBytes: 0 };
    #begun = 0;
    constructor(parts, open, contents, options) {
        this.#parts = parts;
        this.#open = open;
        this.#contents = contents;
        this.#options = options;
    }
    async run() {
        let ticket = await this.#begin();
        this.#progress.totalBytes = ticket.missingBytes;
        for (let round = 1;; round += 1) {
            ticket = await this.#sendAll(ticket);
            try {
                return await this.#commit(ticket.id);
            }
            catch (error) {
                if (!(error instanceof LibraryRefusal))
                    throw error;
                if (error.is("SAVEGAME_VERSION_CONFLICT")) {
                    const { meta } = error;
                    return { result: "conflict", save: undefined, meta, ownVersion: meta.branch.attributes.version };
                }
                const isGone = error.status === 404;
                const isIncomplete = error.code === "SAVEGAME_UPLOAD_INCOMPLETE" || error.code === "SAVEGAME_HASH_MISMATCH";
                if (round === MOST_ROUNDS || !(isGone || isIncomplete))
                    throw error;
                ticket = isGone ? await this.#begin() : await this.#again(ticket.id);
            }
        }
    }
    /** What is missing of an upload; a new upload if this one has failed or expired. */
    async #again(id) {
        const found = await this.#parts.calls.getUpload(id, this.#call()).catch((error) => {
            if (error instanceof LibraryRefusal && error.status === 404)
                return undefined;
            throw error;
        });
        if (found?.data.attributes.status !== "open")
            return this.#begin();
        const { missing_count, missing_bytes, uploads } = found.data.attributes;
        return { id, missingCount: missing_count, missingBytes: missing_bytes, contents: uploads };
    }
    async #begin() {
        this.#begun += 1;
        if (this.#begun > MOST_BEGUN)
            throw new LibraryUnreachable("the upload ends before all of its contents arrive");
        return this.#open();
    }
    async #sendAll(begun) {
        let ticket = begun;
        for (let idle = 0; ticket.missingCount > 0;) {
            const requests = ticket.contents.flatMap((content) => this.#requests(content));
            const refused = await this.#sendSome(requests);
            // An answer has the requests for 100 contents or parts at most.
            const sentBytes = requests.reduce((sum, one) => sum + one.sizeBytes, 0);
            if (!refused && requests.length > 0 && sentBytes === ticket.missingBytes)
                return ticket;
            const before = ticket;
            ticket = await this.#again(before.id);
            idle = stateOf(ticket) === stateOf(before) ? idle + 1 : 0;
            if (idle === MOST_IDLE) {
                throw refused ?? new LibraryUnreachable(`${ticket.missingCount} contents do not arrive at the store`);
            }
        }
        return ticket;
    }
    #requests(content) {
        const bytes = this.#contents.get(content.sha256);
        if (bytes === undefined)
            throw new TypeError(`the upload asks for other bytes: ${content.sha256}`);
        if (content.upload_url && content.method) {
            return [
                { method: content.method, url: content.upload_url, headers: content.headers, bytes, sizeBytes: sizeOf(bytes) },
            ];
        }
        const size = content.part_size_bytes ?? 0;
        return content.parts.map((part) => ({
            method: part.method,
            url: part.upload_url,
            headers: part.headers,
            bytes: slice(bytes, (part.number - 1) * size, part.size_bytes),
            sizeBytes: part.size_bytes,
        }));
    }
    /** Sends requests, some at a time; returns why the store did not take a signature, if that happened. */
    async #sendSome(requests) {
        let refused;
        await inParallel(requests, this.#options.parallel ?? 4, this.#options.signal, async (request, signal) => {
            try {
                await this.#parts.store.send(request, signal);
                this.#progress.doneBytes += request.sizeBytes;
                await this.#options.onProgress?.({ ...this.#progress });
            }
            catch (error) {
                if (!(error instanceof SignatureRefused))
                    throw error;
                refused = error;
            }
        });
        return refused;
    }
    /** Makes the upload a version. A large one is verified for a while: each question is a call with a key of its own. */
    async #commit(id) {
        let [verified, idle] = [-1, 0];
        while (true) {
            const answer = await this.#parts.calls.commitUpload(id, this.#call());
            if (answer.response.status !== 202) {
                const { data, meta } = answer;
                const isHead = meta.result === "head" || meta.result === "identical";
                return { result: meta.result, save: data, meta, ownVersion: isHead ? data.attributes.version : undefined };
            }
            const { verified_count } = answer.meta;
            idle = verified_count > verified ? 0 : idle + 1;
            verified = Math.max(verified, verified_count);
            if (idle > 30)
                throw new LibraryUnreachable(`the service has verified ${verified} contents, and no more`);
            const seconds = retryAfterSeconds(answer.response.headers, Date.now()) || USUAL_PAUSE_SECONDS;
            await this.#parts.pause(Math.min(seconds, LONGEST_PAUSE_SECONDS), this.#options.signal);
        }
    }
    #call() {
        return { signal: this.#options.signal };
    }
}
/** What changes when a content or a part has arrived. */
function stateOf({ id, missingCount, missingBytes, contents }) {
    const offered = contents.map((content) => [content.sha256, content.parts.map((part) => part.number)]);
    return JSON.stringify([id, missingCount, missingBytes, offered]);
}
