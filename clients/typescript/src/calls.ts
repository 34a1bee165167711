/** What the generated groups of calls are made of. */

import { ForeignAnswer } from "./errors.js";
import type { RetryPolicy } from "./http/retries.js";
import type { Answered } from "./http/transport.js";
import { type PageDocument, Pages } from "./pages.js";

export { Pages } from "./pages.js";

/** Options of every call. */
export interface CallOptions {
  /** Cancels the call, its pauses included; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Language of titles and errors, such as `en`, in place of the client's. */
  language?: string | undefined;
  /** Id of the request in the service's logs; the service makes one if it is left out. */
  requestId?: string | undefined;
  /** For how long one try may take. */
  timeoutSeconds?: number | undefined;
  retries?: Partial<RetryPolicy> | undefined;
  /** The `sub` of the player that it is for: with another one's token it rejects, and is not sent. */
  user?: string | undefined;
}

/** Options of a call that changes something. */
export interface WriteOptions extends CallOptions {
  /** Makes the call count once, in another process as well. One is made for each call if it is left out. */
  idempotencyKey?: string | undefined;
  /** The `etag` that the state must still have; otherwise the call is refused with 412. */
  ifMatch?: string | undefined;
  /** `*`: only if there is none yet. */
  ifNoneMatch?: string | undefined;
}

/** What an answer has besides its document. */
export interface ResponseFacts {
  readonly status: number;
  readonly headers: Headers;
  /** For `ifMatch` of a change. */
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  /** Whether this is the first answer to the Idempotency-Key again. */
  readonly isReplayed: boolean;
  /** Whether nothing has changed since the answer that was kept. */
  readonly isStored: boolean;
}

/** A document of the API. `response` is not enumerable, so the document can be stored or compared as it is. */
export type Answer<T> = T & { readonly response: ResponseFacts };

/** The answer to a call that returns no document. */
export interface Done {
  readonly response: ResponseFacts;
}

/** A call of one operation, before it becomes a request. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: object;
  readonly attributes?: object;
  readonly isKeyed?: boolean;
  readonly hasEtag?: boolean;
  readonly isRead?: boolean;
}

export interface Sender {
  send(call: Call, options: WriteOptions): Promise<Answered>;
}

/** The base of the generated groups. */
export class Calls {
  protected readonly sender: Sender;

  constructor(sender: Sender) {
    this.sender = sender;
  }

  protected async answer<T extends object>(call: Call, options: WriteOptions): Promise<Answer<T>> {
    const answered = await this.sender.send(call, options);
    if (!answered.document) throw new ForeignAnswer(`${call.path}: there is no document`, answered.status);
    return Object.defineProperty(answered.document, "response", { value: factsOf(answered) }) as Answer<T>;
  }

  protected async done(call: Call, options: WriteOptions): Promise<Done> {
    return { response: factsOf(await this.sender.send(call, options)) };
  }

  protected pages<T extends { id: string }, D extends PageDocument<T>>(call: Call, options: CallOptions): Pages<T, D> {
    const query = (call.query ?? {}) as { page?: number; limit?: number };
    return new Pages<T, D>((place) => this.answer<D>({ ...call, query: { ...query, ...place } }, options), query);
  }
}

function factsOf({ status, headers, isStored }: Answered): ResponseFacts {
  return {
    status,
    headers,
    // A proxy that compresses makes it weak, and no change accepts a weak one.
    etag: headers.get("ETag")?.replace(/^W\//, ""),
    requestId: headers.get("X-Request-ID") ?? undefined,
    isReplayed: headers.get("Idempotency-Replayed") === "true",
    isStored,
  };
}
