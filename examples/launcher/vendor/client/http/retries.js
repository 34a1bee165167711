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
/** The seconds that a `Retry-After` asks for: a number of seconds, or a date. Undefined if it says neither. */
export function retryAfterSeconds(value, nowMs) {
    const text = value?.trim();
    if (!text)
        return undefined;
    if (/^\d{1,9}$/.test(text))
        return Number(text);
    // Date.parse reads more than dates of HTTP, such as "-5".
    const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(at) ? undefined : Math.max(0, (at - nowMs) / 1000);
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
