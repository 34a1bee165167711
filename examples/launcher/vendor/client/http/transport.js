/** Sends a request until it is answered, refused, or not worth another try. */
import { LibraryError, LibraryRefusal, LibraryUnreachable, TokenUnavailable } from "../errors.js";
import { documentOf } from "./answers.js";
import { etagKey } from "./etags.js";
import { waitFor, withLimit } from "./limits.js";
import { isRetried, pauseSeconds, retryAfterSeconds } from "./retries.js";
import { isAway } from "./returns.js";
import { userOf } from "./tokens.js";
export class Transport {
    #parts;
    constructor(parts) {
        this.#parts = parts;
    }
    async send(sending) {
        const { tokens, random, now, returns } = this.#parts;
        const began = performance.now();
        let token = await tokenFor(tokens.current(), sending, began);
        let [tried, isRenewed, isUnsure] = [0, false, false];
        while (true) {
            const kept = await this.#kept(sending, token);
            // A network that swallows everything must not make a call longer than all of its tries may be.
            const leftSeconds = sending.retries.totalSeconds - (performance.now() - began) / 1000;
            const timeoutSeconds = Math.min(sending.timeoutSeconds, Math.max(leftSeconds, 0));
            const received = await this.#received({ ...sending, timeoutSeconds }, token, kept.answer?.etag);
            returns.note(isAway(received instanceof LibraryUnreachable ? undefined : received.status));
            if (!(received instanceof LibraryUnreachable) && received.status === 401 && !isRenewed) {
                isRenewed = true;
                const other = await tokenFor(tokens.renewed(token), sending, began);
                if (other !== undefined) {
                    token = other;
                    continue; // a token that has expired is no failed try
                }
            }
            const isFailed = received instanceof LibraryUnreachable || isRetried(received.status, sending);
            if (!isFailed)
                return this.#accepted(sending, received, kept, isUnsure && !sending.isKeyed && !sending.isRead);
            tried += 1;
            isUnsure ||= received instanceof LibraryUnreachable || received.status >= 500;
            const seconds = pauseSeconds({ tried, elapsedSeconds: (performance.now() - began) / 1000, askedSeconds: askedSeconds(received, now()) }, sending.retries, random());
            if (seconds === undefined) {
                if (received instanceof LibraryUnreachable)
                    throw received;
                return answered(received, now()); // throws, since none of these is a success
            }
            await this.#parts.pause(seconds, sending.signal);
        }
    }
    async #kept(sending, token) {
        const user = sending.hasEtag && this.#parts.etags ? userOf(token) : undefined;
        if (user === undefined)
            return { key: undefined, answer: undefined };
        const key = etagKey(sending.method, sending.url, sending.language, user);
        try {
            return { key, answer: await this.#parts.etags?.get(key) };
        }
        catch {
            return { key, answer: undefined }; // all that costs is an answer that is sent again
        }
    }
    async #accepted(sending, received, kept, mayBeApplied) {
        const nowMs = this.#parts.now();
        if (received.status === 304 && kept.answer) {
            return { ...answered({ ...received, status: 200, text: kept.answer.body }, nowMs), isStored: true };
        }
        // The first answer to a deletion was lost on the way, and now there is nothing to delete.
        if (mayBeApplied && sending.method === "DELETE" && received.status === 404)
            return goneOf(received, nowMs);
        const answer = answered(received, nowMs, mayBeApplied);
        const etag = received.headers.get("ETag");
        if (kept.key === undefined || !etag)
            return answer;
        try {
            await this.#parts.etags?.set(kept.key, { etag, body: received.text });
        }
        catch {
            // A store that is full is no reason to lose an answer.
        }
        return answer;
    }
    async #received(sending, token, etag) {
        try {
            return await this.#try(sending, token, etag);
        }
        catch (error) {
            sending.signal?.throwIfAborted();
            return new LibraryUnreachable(`${sending.method} ${sending.url}: ${reason(error)}`, { cause: error });
        }
    }
    /** One request and its whole body: a connection that breaks in the middle of the body has failed as well. */
    async #try(sending, token, etag) {
        const headers = { ...sending.headers, Authorization: `Bearer ${token}` };
        if (etag !== undefined)
            headers["If-None-Match"] = etag;
        return withLimit(sending.timeoutSeconds, sending.signal, async (signal) => {
            const response = await this.#parts.fetch(sending.url, {
                method: sending.method,
                headers,
                ...(sending.body === undefined ? {} : { body: sending.body }),
                signal,
                // The service redirects nowhere; the gate of a hotspot does, and must not receive the token.
                redirect: "manual",
            });
            return { status: response.status, headers: response.headers, text: await response.text() };
        });
    }
}
function answered(received, nowMs, mayBeApplied = false) {
    const document = documentOf(received, nowMs, mayBeApplied);
    return { document, status: received.status, headers: received.headers, isStored: false };
}
function askedSeconds(received, nowMs) {
    if (received instanceof LibraryUnreachable)
        return undefined;
    return retryAfterSeconds(received.headers, nowMs);
}
/** A 404 of the service as a deletion that is done; a proxy's 404 is not known to mean that. */
function goneOf(received, nowMs) {
    try {
        return answered(received, nowMs);
    }
    catch (error) {
        if (!(error instanceof LibraryRefusal))
            throw error;
        return { document: undefined, status: 204, headers: received.headers, isStored: false };
    }
}
/** A token provider that does not answer must not make a call longer than all of its tries may be. */
async function tokenFor(token, { retries, signal, user }, began) {
    const leftSeconds = retries.totalSeconds - (performance.now() - began) / 1000;
    let found;
    try {
        found = await withLimit(Math.max(leftSeconds, 0), signal, (limit) => waitFor(token, limit));
    }
    catch (error) {
        signal?.throwIfAborted();
        throw error instanceof LibraryError ? error : new TokenUnavailable(`no token: ${reason(error)}`, { cause: error });
    }
    const isOther = user !== undefined && found !== undefined && userOf(found) !== user;
    if (isOther)
        throw new TokenUnavailable("no token of this player: another one has signed in");
    return found;
}
/** `fetch` says only "fetch failed"; what has failed is the cause. */
function reason(error) {
    if (!(error instanceof Error))
        return String(error);
    return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
