/** Makes requests of calls. */

import type { Call, Sender, WriteOptions } from "./calls.js";
import { given } from "./given.js";
import { DEFAULT_RETRIES, type RetryPolicy } from "./http/retries.js";
import type { Answered, Sending, Transport } from "./http/transport.js";
import { newId } from "./ids.js";
import { headersOf } from "./inputs.js";

/** What all requests of a client have in common. */
export interface RequestDefaults {
  readonly baseUrl: string;
  readonly language: string | undefined;
  readonly clientId: string;
  readonly clientVersion: string | undefined;
  readonly timeoutSeconds: number;
  readonly retries: Partial<RetryPolicy>;
}

export class Requests implements Sender {
  readonly #transport: Transport;
  readonly #defaults: RequestDefaults;

  constructor(transport: Transport, defaults: RequestDefaults) {
    headersOf(headersFor(defaults, defaults.language)); // named when the client is made, and not by each of its calls
    this.#transport = transport;
    this.#defaults = defaults;
  }

  async send(call: Call, options: WriteOptions): Promise<Answered> {
    return this.#transport.send(sendingOf(call, options, this.#defaults, newId));
  }
}

/** The request of a call. Its Idempotency-Key is made here, once, so that all tries have the same one. */
export function sendingOf(
  call: Call,
  options: WriteOptions,
  defaults: RequestDefaults,
  createKey: () => string,
): Sending {
  const language = options.language ?? defaults.language;
  const headers = headersOf({
    ...headersFor(defaults, language),
    "X-Request-ID": options.requestId,
    "If-Match": options.ifMatch,
    "If-None-Match": options.ifNoneMatch,
    "Content-Type": call.attributes === undefined ? undefined : "application/json",
    "Idempotency-Key": call.isKeyed ? (options.idempotencyKey ?? createKey()) : undefined,
  });
  return {
    method: call.method,
    url: `${defaults.baseUrl}${call.path}${queryText(call.query ?? {})}`,
    headers,
    body: call.attributes === undefined ? undefined : JSON.stringify({ data: { attributes: call.attributes } }),
    isRead: call.isRead ?? call.method === "GET",
    isKeyed: call.isKeyed ?? false,
    hasEtag: call.hasEtag ?? false,
    language,
    retries: { ...DEFAULT_RETRIES, ...given(defaults.retries), ...given(options.retries ?? {}) },
    timeoutSeconds: options.timeoutSeconds ?? defaults.timeoutSeconds,
    signal: options.signal,
    user: options.user,
  };
}

function headersFor({ clientId, clientVersion }: RequestDefaults, language: string | undefined) {
  return {
    Accept: "application/json",
    "Accept-Language": language,
    "X-Client-Id": clientId,
    "X-Client-Version": clientVersion,
  };
}

/** A query as the API reads it: lists with commas, nothing for what is undefined. */
export function queryText(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const pairs = given.map(
    ([name, value]) =>
      `${name}=${[value]
        .flat()
        .map((one) => encodeURIComponent(one))
        .join(",")}`,
  );
  return pairs.length ? `?${pairs.join("&")}` : "";
}
