/** Decides whether a request is sent again, and when. */
export const DEFAULT_RETRIES = {
    tries: 5,
    totalSeconds: 120,
    firstPauseSeconds: 0.5,
    longestPauseSeconds: 20,
};
/**
 * Whether a status is one of a failure that may pass. After a 500 it is unknown whether the change was made, so only a
 * read, or a request whose key makes it count once, is sent again.
 */
export function isRetried(status, request) {
    if (status === 500)
        return request.isRead || request.isKeyed;
    return status === 429 || status === 502 || status === 503 || status === 504;
}
const YEAR_SECONDS = 365 * 86_400;
/**
 * The seconds for which an answer asks for patience, at most a year: a number of them, or a date by the clock of the
 * service. Undefined if it says neither.
 */
export function retryAfterSeconds(headers, nowMs) {
    const text = headers.get("Retry-After")?.trim() ?? "";
    if (/^\d+$/.test(text))
        return Math.min(Number(text), YEAR_SECONDS);
    const at = dateOf(text);
    if (Number.isNaN(at))
        return undefined;
    const date = dateOf(headers.get("Date")?.trim() ?? "");
    const seconds = (at - (Number.isNaN(date) ? nowMs : date)) / 1000;
    return Math.min(Math.max(0, seconds), YEAR_SECONDS);
}
/** A date of HTTP in milliseconds. `Date.parse` reads more than those, such as "-5". */
function dateOf(text) {
    return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
/**
 * The pause before the next try, or undefined if there is none: the tries are used up, or the time would be.
 *
 * Full jitter: clients that failed together do not come back together. A `Retry-After` is a lower bound, and a share of
 * the usual pause is added to it for the same reason.
 */
export function pauseSeconds(state, policy, random) {
    if (state.tried >= policy.tries)
        return undefined;
    const ceiling = Math.min(policy.longestPauseSeconds, policy.firstPauseSeconds * 2 ** (state.tried - 1));
    const pause = (state.askedSeconds ?? 0) + random * ceiling;
    return state.elapsedSeconds + pause > policy.totalSeconds ? undefined : pause;
}
