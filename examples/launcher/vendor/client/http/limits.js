/** Limits of time. */
import { LONGEST_TIMER_MS } from "../pause.js";
/** What a promise gives, unless the signal is aborted before: then its reason. The work behind it is not ended. */
export function waitFor(promise, signal) {
    if (!signal)
        return promise;
    return new Promise((resolve, reject) => {
        if (signal.aborted) {
            promise.catch(() => { }); // nobody waits for it, and a rejection that nobody handles ends Node
            return reject(signal.reason);
        }
        const aborted = () => reject(signal.reason);
        signal.addEventListener("abort", aborted, { once: true });
        promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
    });
}
/** Work that ends at a limit, or when its caller cancels it; it then rejects with the reason. */
export async function withLimit(seconds, signal, work) {
    const limit = new AbortController();
    const abort = () => limit.abort(signal?.reason);
    if (signal?.aborted)
        abort();
    signal?.addEventListener("abort", abort, { once: true });
    const late = () => limit.abort(new Error("no answer in time"));
    const timer = setTimeout(late, Math.min(seconds * 1000, LONGEST_TIMER_MS));
    try {
        return await work(limit.signal);
    }
    catch (error) {
        throw limit.signal.aborted ? limit.signal.reason : error;
    }
    finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
    }
}
