/** What can go wrong, as classes under one base. Arguments that make no sense throw a `RangeError` or `TypeError`. */

import type { ErrorCode, Problem } from "./generated/schemas.js";
import type { ErrorMetas } from "./metas.js";

/** The base of all errors of this client. A call that its caller has cancelled rejects with the signal's reason. */
export abstract class LibraryError extends Error {
  /** Whether the same call may succeed later: an offline queue keeps what failed with such an error. */
  abstract readonly isTemporary: boolean;
}

/** The service has refused the request. */
export class LibraryRefusal extends LibraryError {
  override readonly name: string = "LibraryRefusal";
  /** HTTP status. */
  readonly status: number;
  /** The stable code of the first problem: the reason, for programs. */
  readonly code: ErrorCode;
  /** The reason in the language of the request, for people. */
  readonly detail: string;
  /** The field of the body that is wrong, as a JSON pointer, or the name of the query parameter. */
  readonly pointer: string | undefined;
  /** What a program needs to handle it; `is` gives it a type. */
  readonly meta: Record<string, unknown>;
  /** All problems: a body with several wrong fields has one for each. */
  readonly problems: readonly Problem[];
  /** Those of the answer. */
  readonly headers: Headers;
  /** The id of the request in the service's logs. */
  readonly requestId: string | undefined;
  /** For how many seconds the service asks for patience. */
  readonly retryAfterSeconds: number | undefined;
  /**
   * Whether the answer to an earlier try of the call was lost: what that try changed may be why this one is refused.
   * False for calls with an Idempotency-Key, which get the first answer again.
   */
  readonly mayBeApplied: boolean;

  constructor(
    status: number,
    problems: readonly [Problem, ...Problem[]],
    about: { headers?: Headers; retryAfterSeconds?: number | undefined; mayBeApplied?: boolean } = {},
  ) {
    const [first] = problems;
    super(`${first.code}: ${first.detail}`);
    this.status = status;
    this.code = first.code;
    this.detail = first.detail;
    this.pointer = first.source?.pointer ?? first.source?.parameter;
    this.meta = first.meta ?? {};
    this.problems = problems;
    this.headers = about.headers ?? new Headers();
    this.requestId = this.headers.get("X-Request-ID") ?? undefined;
    this.retryAfterSeconds = about.retryAfterSeconds;
    this.mayBeApplied = about.mayBeApplied ?? false;
  }

  override get isTemporary(): boolean {
    // A token can be renewed, so work that met an expired one is not lost.
    return this.status === 401 || this.status === 429 || this.status >= 500;
  }

  /** Whether this is the code; `meta` then has the type that belongs to it. */
  is<C extends keyof ErrorMetas>(code: C): this is this & { readonly code: C; readonly meta: ErrorMetas[C] } {
    return this.code === code;
  }
}

/** Nothing was answered: no network, a broken connection, or no answer in time. It is unknown whether it was applied. */
export class LibraryUnreachable extends LibraryError {
  override readonly name: string = "LibraryUnreachable";
  readonly isTemporary = true;
}

/** The token provider has failed, in whatever way. Its own error is the `cause`. */
export class TokenUnavailable extends LibraryUnreachable {
  override readonly name: string = "TokenUnavailable";
}

/** What has answered was not the service: the page of a hotspot, a proxy's error page, JSON without its envelope. */
export class ForeignAnswer extends LibraryError {
  override readonly name: string = "ForeignAnswer";
  /** A hotspot's page and a proxy's error are gone some time later. */
  readonly isTemporary = true;

  constructor(
    message: string,
    /** HTTP status; 0 for a redirection that a browser does not show. */
    readonly status: number,
  ) {
    super(message);
  }
}
