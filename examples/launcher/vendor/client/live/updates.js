/** Live updates: the messages of a user's stream, none twice and none missing, over any number of connections. */
import { LibraryError, LibraryRefusal } from "../errors.js";
import { given } from "../given.js";
import { DEFAULT_RETRIES } from "../http/retries.js";
import { cursorOf } from "../inputs.js";
import { connect } from "./connection.js";
import { isAfter, liveMessage } from "./messages.js";
import { failuresAfter, mayBeSooner, reconnectSeconds, UNAUTHENTICATED } from "./reconnects.js";
/**
 * Iterate it, once. `resync.required` means that messages are missing: read again what they were about.
 *
 * The iteration ends with `close()`. It throws if there is no token that the service accepts; a token provider that fails
 * is asked again.
 */
export class LiveUpdates {
    #parts;
    #options;
    #retries;
    #signal;
    #closing = new AbortController();
    #buffer = [];
    /** The last message that has arrived. */
    #arrived;
    /** The last message that was read. */
    #read;
    #error;
    #waiters = [];
    #isIterated = false;
    constructor(parts, options) {
        const { cursor, signal, retries, ...others } = options;
        this.#parts = parts;
        this.#options = { pingSeconds: 25, silenceSeconds: 90, connectSeconds: 15, maxBuffered: 1_000, ...given(others) };
        this.#retries = { ...DEFAULT_RETRIES, firstPauseSeconds: 1, longestPauseSeconds: 30, ...given(retries ?? {}) };
        this.#signal = signal;
        this.#arrived = this.#read = cursorOf(cursor);
    }
    /** The place behind the last message that was read: keep it to resume from there. Undefined before the first one. */
    get cursor() {
        return this.#read;
    }
    /** Ends the connection and the iteration. */
    close() {
        this.#closing.abort();
        this.#wake();
    }
    async [Symbol.asyncDispose]() {
        this.close();
    }
    async *[Symbol.asyncIterator]() {
        if (this.#isIterated)
            throw new TypeError("live updates are iterated once");
        this.#isIterated = true;
        const close = () => this.close();
        this.#signal?.addEventListener("abort", close, { once: true });
        if (this.#signal?.aborted)
            close();
        void this.#run();
        try {
            while (!this.#closing.signal.aborted) {
                const message = this.#buffer.shift();
                if (message) {
                    this.#read = message.id;
                    yield message;
                    // The reader has come back: there is room again.
                    if (this.#buffer.length <= this.#options.maxBuffered / 2)
                        this.#wake();
                }
                else if (this.#error) {
                    throw this.#error.reason;
                }
                else {
                    await this.#waiting();
                }
            }
            this.#signal?.throwIfAborted();
        }
        finally {
            this.close();
            this.#signal?.removeEventListener("abort", close);
        }
    }
    /** Waits for a message, for room, or for the end. */
    #waiting() {
        return new Promise((resolve) => this.#waiters.push(resolve));
    }
    #wake() {
        for (const resolve of this.#waiters.splice(0))
            resolve();
    }
    async #run() {
        try {
            await this.#connections();
        }
        catch (reason) {
            if (!this.#closing.signal.aborted)
                this.#error = { reason };
        }
        this.#wake();
    }
    async #connections() {
        const { tokens, random } = this.#parts;
        let failures = 0;
        let refused;
        while (!this.#closing.signal.aborted) {
            let connected = { ended: { code: 1006 }, isAccepted: false, seconds: 0 };
            const token = await temporarily(refused === undefined ? tokens.current() : tokens.renewed(refused));
            if (token === undefined)
                throw unauthenticated();
            if (typeof token === "string") {
                connected = await this.#connection(token);
                const isRefused = typeof connected.ended === "object" && connected.ended.code === UNAUTHENTICATED;
                // A token that was refused at once, although it is new, is not the one that has expired.
                if (isRefused && refused !== undefined && !connected.isAccepted)
                    throw unauthenticated();
                refused = isRefused ? token : undefined;
            }
            if (this.#closing.signal.aborted)
                return;
            if (connected.ended === "full") {
                while (this.#buffer.length > this.#options.maxBuffered / 2 && !this.#closing.signal.aborted)
                    await this.#waiting();
                continue;
            }
            failures = failuresAfter(connected, failures);
            if (refused === token && failures === 1)
                continue; // it has expired: nothing is wrong with the service
            const seconds = reconnectSeconds(connected.ended, failures, this.#retries, Date.now(), random());
            if (!mayBeSooner(connected.ended))
                await this.#pause(seconds);
            else if (await this.#pauseUntilReturn(seconds))
                failures = 0;
        }
    }
    #pause(seconds) {
        return this.#parts.pause(seconds, this.#closing.signal);
    }
    /**
     * Pauses, at most until the service is back for the client's calls, and returns whether it is: a page whose calls are
     * answered again has to be live again too, and not only after the rest of a pause that has grown meanwhile.
     */
    async #pauseUntilReturn(seconds) {
        const { returns, random } = this.#parts;
        let isBack = false;
        const waiting = new AbortController();
        const end = () => waiting.abort();
        const ignore = returns.listen(() => {
            isBack = true;
            end();
        });
        this.#closing.signal.addEventListener("abort", end, { once: true });
        try {
            await this.#parts.pause(seconds, waiting.signal);
        }
        catch (error) {
            if (!isBack)
                throw error;
            // Not all clients at the same moment.
            await this.#pause(random() * Math.min(seconds, this.#retries.firstPauseSeconds));
        }
        finally {
            ignore();
            this.#closing.signal.removeEventListener("abort", end);
        }
        return isBack;
    }
    #connection(token) {
        const query = this.#arrived === undefined ? "" : `?cursor=${this.#arrived}`;
        return connect({
            socket: this.#parts.socket,
            url: `${this.#parts.url}${query}`,
            token,
            pingSeconds: this.#options.pingSeconds,
            silenceSeconds: this.#options.silenceSeconds,
            connectSeconds: this.#options.connectSeconds,
            signal: this.#closing.signal,
            receive: (message) => this.#receive(message),
        });
    }
    #receive(message) {
        // The first connection begins with the present: what follows is behind this place.
        if (message.event_type === "auth.success") {
            this.#arrived ??= message.id;
            this.#read ??= message.id;
        }
        const live = liveMessage(message);
        if (live && isAfter(message, this.#arrived)) {
            this.#arrived = message.id;
            this.#buffer.push(live);
            this.#wake();
        }
        return this.#buffer.length < this.#options.maxBuffered;
    }
}
/** A token; undefined if there is none; or the temporary error for which there is none now. */
async function temporarily(token) {
    try {
        return await token;
    }
    catch (error) {
        if (error instanceof LibraryError && error.isTemporary)
            return error;
        throw error;
    }
}
function unauthenticated() {
    return new LibraryRefusal(401, [
        { code: "UNAUTHENTICATED", title: "Authentication failed", detail: "The service does not accept the token." },
    ]);
}
