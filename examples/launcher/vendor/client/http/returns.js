/** Notifies those who wait for the service that it is back: a call was answered after one had not been. */
export class Returns {
    #isAway = false;
    #listeners = new Set();
    /** What a try of a call has found. */
    note(isAway) {
        const isBack = this.#isAway && !isAway;
        this.#isAway = isAway;
        if (isBack)
            for (const listener of [...this.#listeners])
                listener();
    }
    /** Calls the listener at each return, and when a browser has a network again. Returns what ends that. */
    listen(listener) {
        this.#listeners.add(listener);
        // Only pages have this event; Node has no function of that name.
        globalThis.addEventListener?.("online", listener);
        return () => {
            this.#listeners.delete(listener);
            globalThis.removeEventListener?.("online", listener);
        };
    }
}
/** Whether an answer, or the lack of one, means that the service is away. A limit, or its own error, does not. */
export function isAway(status) {
    return status === undefined || status === 502 || status === 503 || status === 504;
}
