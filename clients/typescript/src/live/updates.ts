/** Live updates: the messages of a user's stream, none twice and none missing, over any number of connections. */

import { LibraryError, LibraryRefusal } from "../errors.js";
import type { Message } from "../generated/messages.js";
import { given } from "../given.js";
import { DEFAULT_RETRIES, type RetryPolicy } from "../http/retries.js";
import type { Returns } from "../http/returns.js";
import type { TokenSource } from "../http/tokens.js";
import { cursorOf } from "../inputs.js";
import type { Pause } from "../pause.js";
import { connect, type SocketConstructor } from "./connection.js";
import { isAfter, type LiveMessage, liveMessage } from "./messages.js";
import { type Connected, failuresAfter, mayBeSooner, reconnectSeconds, UNAUTHENTICATED } from "./reconnects.js";

export interface LiveOptions {
  /** The id of the last message that was handled, in this process or an earlier one. Without it they begin now. */
  cursor?: string | null | undefined;
  /** Ends the updates; the iteration then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** A ping is sent at this interval. */
  pingSeconds?: number;
  /**
   * A connection from which nothing has come for so long is replaced. More than a minute: browsers let a page that is
   * hidden ping only once in that time.
   */
  silenceSeconds?: number;
  /** A connection whose token is not accepted in that time is replaced. */
  connectSeconds?: number;
  /** Messages that wait to be read. With more of them there is no connection until half of them are read. */
  maxBuffered?: number;
  retries?: Partial<RetryPolicy>;
}

export interface LiveParts {
  readonly url: string;
  readonly tokens: TokenSource;
  readonly returns: Returns;
  readonly socket: SocketConstructor;
  readonly pause: Pause;
  readonly random: () => number;
}

/**
 * Iterate it, once. `resync.required` means that messages are missing: read again what they were about.
 *
 * The iteration ends with `close()`. It throws if there is no token that the service accepts; a token provider that fails
 * is asked again.
 */
export class LiveUpdates implements AsyncIterable<LiveMessage>, AsyncDisposable {
  readonly #parts: LiveParts;
  readonly #options: Required<Omit<LiveOptions, "cursor" | "signal" | "retries">>;
  readonly #retries: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  readonly #closing = new AbortController();
  readonly #buffer: LiveMessage[] = [];
  /** The last message that has arrived. */
  #arrived: string | undefined;
  /** The last message that was read. */
  #read: string | undefined;
  #error: { reason: unknown } | undefined;
  readonly #waiters: (() => void)[] = [];
  #isIterated = false;

  constructor(parts: LiveParts, options: LiveOptions) {
    const { cursor, signal, retries, ...others } = options;
    this.#parts = parts;
    this.#options = { pingSeconds: 25, silenceSeconds: 90, connectSeconds: 15, maxBuffered: 1_000, ...given(others) };
    this.#retries = { ...DEFAULT_RETRIES, firstPauseSeconds: 1, longestPauseSeconds: 30, ...given(retries ?? {}) };
    this.#signal = signal;
    this.#arrived = this.#read = cursorOf(cursor);
  }

  /** The place behind the last message that was read: keep it to resume from there. Undefined before the first one. */
  get cursor(): string | undefined {
    return this.#read;
  }

  /** Ends the connection and the iteration. */
  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LiveMessage, void, undefined> {
    if (this.#isIterated) throw new TypeError("live updates are iterated once");
    this.#isIterated = true;
    const close = () => this.close();
    this.#signal?.addEventListener("abort", close, { once: true });
    if (this.#signal?.aborted) close();
    void this.#run();
    try {
      while (!this.#closing.signal.aborted) {
        const message = this.#buffer.shift();
        if (message) {
          this.#read = message.id;
          yield message;
          // The reader has come back: there is room again.
          if (this.#buffer.length <= this.#options.maxBuffered / 2) this.#wake();
        } else if (this.#error) {
          throw this.#error.reason;
        } else {
          await this.#waiting();
        }
      }
      this.#signal?.throwIfAborted();
    } finally {
      this.close();
      this.#signal?.removeEventListener("abort", close);
    }
  }

  /** Waits for a message, for room, or for the end. */
  #waiting(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    try {
      await this.#connections();
    } catch (reason) {
      if (!this.#closing.signal.aborted) this.#error = { reason };
    }
    this.#wake();
  }

  async #connections(): Promise<void> {
    const { tokens, random } = this.#parts;
    let failures = 0;
    let refused: string | undefined;
    while (!this.#closing.signal.aborted) {
      let connected: Connected = { ended: { code: 1006 }, isAccepted: false, seconds: 0 };
      const token = await temporarily(refused === undefined ? tokens.current() : tokens.renewed(refused));
      if (token === undefined) throw unauthenticated();
      if (typeof token === "string") {
        connected = await this.#connection(token);
        const isRefused = typeof connected.ended === "object" && connected.ended.code === UNAUTHENTICATED;
        // A token that was refused at once, although it is new, is not the one that has expired.
        if (isRefused && refused !== undefined && !connected.isAccepted) throw unauthenticated();
        refused = isRefused ? token : undefined;
      }
      if (this.#closing.signal.aborted) return;
      if (connected.ended === "full") {
        while (this.#buffer.length > this.#options.maxBuffered / 2 && !this.#closing.signal.aborted)
          await this.#waiting();
        continue;
      }
      failures = failuresAfter(connected, failures);
      if (refused === token && failures === 1) continue; // it has expired: nothing is wrong with the service
      const seconds = reconnectSeconds(connected.ended, failures, this.#retries, Date.now(), random());
      if (!mayBeSooner(connected.ended)) await this.#pause(seconds);
      else if (await this.#pauseUntilReturn(seconds)) failures = 0;
    }
  }

  #pause(seconds: number): Promise<void> {
    return this.#parts.pause(seconds, this.#closing.signal);
  }

  /**
   * Pauses, at most until the service is back for the client's calls, and returns whether it is: a page whose calls are
   * answered again has to be live again too, and not only after the rest of a pause that has grown meanwhile.
   */
  async #pauseUntilReturn(seconds: number): Promise<boolean> {
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
    } catch (error) {
      if (!isBack) throw error;
      // Not all clients at the same moment.
      await this.#pause(random() * Math.min(seconds, this.#retries.firstPauseSeconds));
    } finally {
      ignore();
      this.#closing.signal.removeEventListener("abort", end);
    }
    return isBack;
  }

  #connection(token: string): Promise<Connected> {
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

  #receive(message: Message): boolean {
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
async function temporarily(token: Promise<string | undefined>): Promise<string | undefined | LibraryError> {
  try {
    return await token;
  } catch (error) {
    if (error instanceof LibraryError && error.isTemporary) return error;
    throw error;
  }
}

function unauthenticated(): LibraryRefusal {
  return new LibraryRefusal(401, [
    { code: "UNAUTHENTICATED", title: "Authentication failed", detail: "The service does not accept the token." },
  ]);
}
