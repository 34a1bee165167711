/** Reads an answer: is it the service's, and which one of its kinds? Plain values, no I/O. */

import { ForeignAnswer, LibraryRefusal } from "../errors.js";
import type { Problem } from "../generated/schemas.js";
import { retryAfterSeconds } from "./retries.js";

/** An answer as it has arrived. */
export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The document of a success; undefined for 204. Throws what the service has refused, or that it was not the service. */
export function documentOf(received: Received, nowMs: number, mayBeApplied = false): object | undefined {
  const { status } = received;
  if (status === 204) return undefined;
  const document = json(received);
  if (status >= 200 && status < 300 && isObject(document) && "data" in document) return document;
  if (status >= 400 && isObject(document) && isProblems(document["errors"])) {
    throw new LibraryRefusal(status, document["errors"], {
      headers: received.headers,
      retryAfterSeconds: retryAfterSeconds(received.headers, nowMs),
      mayBeApplied,
    });
  }
  throw new ForeignAnswer(`the answer is not the service's (${described(received)})`, status);
}

function json(received: Received): unknown {
  try {
    return JSON.parse(received.text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProblems(value: unknown): value is [Problem, ...Problem[]] {
  const [first] = Array.isArray(value) ? value : [];
  return isObject(first) && typeof first["code"] === "string" && typeof first["detail"] === "string";
}

/** Status, type and the first words: enough to recognise the page of a hotspot in a log. */
function described({ status, headers, text }: Received): string {
  const words = text.slice(0, 80).replace(/\s+/g, " ").trim();
  return `${status}, ${headers.get("Content-Type") ?? "no type"}, ${JSON.stringify(words)}`;
}
