/** Waiting. Tests pass a function of their own, so that none of them waits for real. */
/** The longest time of a timer; one that is longer fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
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
    }, Math.min(seconds * 1000, LONGEST_TIMER_MS));
    signal?.addEventListener("abort", aborted, { once: true });
});
