/** Answers that are kept with their `ETag`, so that what has not changed is not sent again. */
/** What a stored answer depends on. Another user's, or another language's, is never given. */
export function etagKey(method, url, language, user) {
    return JSON.stringify([method, url, language ?? "", user]);
}
/** Keeps answers in memory; the one that was not used for longest makes room. */
export class MemoryEtagStore {
    maxEntries;
    maxSize;
    #answers = new Map();
    #size = 0;
    constructor(maxEntries = 200, 
    /** Characters of all bodies together. */
    maxSize = 4_000_000) {
        this.maxEntries = maxEntries;
        this.maxSize = maxSize;
    }
    get(key) {
        const answer = this.#answers.get(key);
        if (answer) {
            this.#answers.delete(key);
            this.#answers.set(key, answer);
        }
        return answer;
    }
    set(key, answer) {
        this.#remove(key);
        if (answer.body.length > this.maxSize)
            return;
        this.#answers.set(key, answer);
        this.#size += answer.body.length;
        for (const oldest of this.#answers.keys()) {
            if (this.#answers.size <= this.maxEntries && this.#size <= this.maxSize)
                break;
            this.#remove(oldest);
        }
    }
    #remove(key) {
        const answer = this.#answers.get(key);
        if (!answer)
            return;
        this.#answers.delete(key);
        this.#size -= answer.body.length;
    }
}
