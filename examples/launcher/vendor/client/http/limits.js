/** Limits of time. */
/** Work that ends at a limit, or when its caller cancels it; it then rejects with the reason. */
export async function withLimit(seconds, signal, work) {
    const limit = new AbortController();
    const abort = () => limit.abort(signal?.reason);
    if (signal?.aborted)
        abort();
    signal?.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(() => limit.abort(new Error("no answer in time")), seconds * 1000);
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
