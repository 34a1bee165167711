/** Requests to the object store. */
import { ForeignAnswer, LibraryUnreachable } from "../errors.js";
import { given } from "../given.js";
import { withLimit } from "../http/limits.js";
import { DEFAULT_RETRIES, pauseSeconds, retryAfterSeconds } from "../http/retries.js";
import { codeOf, storeMeaning } from "./answers.js";
/** A network that is slower than this counts as one that has fallen silent, after a moment for the answer. */
const SLOWEST_BYTES_PER_SECOND = 16 * 1024;
const MOMENT_SECONDS = 60;
/** The store does not take the signature, most often since it has expired: the service signs a fresh one. */
export class SignatureRefused extends ForeignAnswer {
}
export class SaveStore {
    #parts;
    constructor(parts) {
        this.#parts = parts;
    }
    /**
     * Sends a request until it is answered; what it sends or reads is the same each time. Tries and pauses are counted,
     * not the time of a transfer: a slow network only takes longer.
     */
    async send(request, signal) {
        const policy = { ...DEFAULT_RETRIES, ...given(this.#parts.retries) };
        let pausedSeconds = 0;
        for (let tried = 1;; tried += 1) {
            let failure;
            let askedSeconds;
            try {
                const { response, bytes } = await this.#try(request, signal);
                if (response.ok)
                    return bytes;
                const code = codeOf(new TextDecoder().decode(bytes));
                const meaning = storeMeaning(response.status, code);
                const what = `${response.status}${code && ` ${code}`}`;
                if (meaning === "sign")
                    throw new SignatureRefused(`the store asks for a fresh signature: ${what}`, response.status);
                failure = new ForeignAnswer(`the store answers ${what}`, response.status);
                if (meaning === "refused")
                    throw failure;
                askedSeconds = retryAfterSeconds(response.headers, Date.now());
            }
            catch (error) {
                if (error instanceof ForeignAnswer)
                    throw error;
                signal?.throwIfAborted();
                failure = new LibraryUnreachable(`the store cannot be reached: ${String(error)}`, { cause: error });
            }
            const state = { tried, elapsedSeconds: pausedSeconds, askedSeconds };
            const seconds = pauseSeconds(state, policy, this.#parts.random());
            if (seconds === undefined)
                throw failure;
            pausedSeconds += seconds;
            await this.#parts.pause(seconds, signal);
        }
    }
    #try(request, signal) {
        const seconds = MOMENT_SECONDS + request.sizeBytes / SLOWEST_BYTES_PER_SECOND;
        return withLimit(seconds, signal, async (limited) => {
            const response = await this.#fetch(request, limited);
            return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
        });
    }
    #fetch(request, signal) {
        // The length is set from the body: a page may not set it.
        const headers = Object.entries(request.headers ?? {}).filter(([name]) => name.toLowerCase() !== "content-length");
        return this.#parts.fetch(request.url, {
            method: request.method,
            headers: Object.fromEntries(headers),
            ...(request.bytes === undefined ? {} : { body: request.bytes }),
            signal,
            // Signatures are for one host; the gate of a hotspot redirects, and must not receive a save.
            redirect: "manual",
        });
    }
}
