/** What can go wrong, as classes under one base. Arguments that make no sense throw a `RangeError` or `TypeError`. */
/** The base of all errors of this client. A call that its caller has cancelled rejects with the signal's reason. */
export class LibraryError extends Error {
}
/** The service has refused the request. */
export class LibraryRefusal extends LibraryError {
    name = "LibraryRefusal";
    /** HTTP status. */
    status;
    /** The stable code of the first problem: the reason, for programs. */
    code;
    /** The reason in the language of the request, for people. */
    detail;
    /** The field of the body that is wrong, as a JSON pointer, or the name of the query parameter. */
    pointer;
    /** What a program needs to handle it; `is` gives it a type. */
    meta;
    /** All problems: a body with several wrong fields has one for each. */
    problems;
    /** Those of the answer. */
    headers;
    /** The id of the request in the service's logs. */
    requestId;
    /** For how many seconds the service asks for patience. */
    retryAfterSeconds;
    /**
     * Whether the answer to an earlier try of the call was lost: what that try changed may be why this one is refused.
     * False for calls with an Idempotency-Key, which get the first answer again.
     */
    mayBeApplied;
    constructor(status, problems, about = {}) {
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
    get isTemporary() {
        // A token can be renewed, so work that met an expired one is not lost.
        return this.status === 401 || this.status === 429 || this.status >= 500;
    }
    /** Whether this is the code; `meta` then has the type that belongs to it. */
    is(code) {
        return this.code === code;
    }
}
/** Nothing was answered: no network, a broken connection, or no answer in time. It is unknown whether it was applied. */
export class LibraryUnreachable extends LibraryError {
    name = "LibraryUnreachable";
    isTemporary = true;
}
/** The token provider has failed, in whatever way. Its own error is the `cause`. */
export class TokenUnavailable extends LibraryUnreachable {
    name = "TokenUnavailable";
}
/** What has answered was not the service: the page of a hotspot, a proxy's error page, JSON without its envelope. */
export class ForeignAnswer extends LibraryError {
    status;
    name = "ForeignAnswer";
    /** A hotspot's page and a proxy's error are gone some time later. */
    isTemporary = true;
    constructor(message, 
    /** HTTP status; 0 for a redirection that a browser does not show. */
    status) {
        super(message);
        this.status = status;
    }
}
