/** Waiting. Tests pass a function of their own, so that none of them waits for real. */
/** Waits; rejects with the signal's reason as soon as the signal is aborted. */
export const pause = (seconds, signal) => new Promise((resolve, reject) => {
    if (signal?.aborted)
        return reject(signal.reason);
    const aborted = () => {
        clearTimeout(timer);
        reject(signal?.reason);
    };
    const timer = setTimeout(() => {
        signal?.removeEventListener("abort", aborted);
        resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", aborted, { once: true });
});
