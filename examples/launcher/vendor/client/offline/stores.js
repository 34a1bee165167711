/** Where an offline queue is kept. One record per entry, so that two tabs or processes do not overwrite each other. */
/** Keeps entries as long as the program runs. */
export class MemoryQueueStore {
    #entries = new Map();
    async load() {
        return [...this.#entries.values()];
    }
    async put(entry) {
        this.#entries.set(entry.id, entry);
    }
    async remove(ids) {
        for (const id of ids)
            this.#entries.delete(id);
    }
}
/** Keeps entries in `localStorage`, or another `Storage`. */
export class WebQueueStore {
    #storage;
    #prefix;
    constructor(storage, prefix = "gameshelf.queue.") {
        this.#storage = storage;
        this.#prefix = prefix;
    }
    async load() {
        const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index) ?? "");
        return keys.filter((key) => key.startsWith(this.#prefix)).flatMap((key) => readEntry(this.#storage.getItem(key)));
    }
    async put(entry) {
        this.#storage.setItem(this.#prefix + entry.id, JSON.stringify(entry));
    }
    async remove(ids) {
        for (const id of ids)
            this.#storage.removeItem(this.#prefix + id);
    }
}
/** The entry of a record; none for a record that is damaged, which must not hold up the others. */
export function readEntry(text) {
    try {
        const entry = JSON.parse(text ?? "null");
        return typeof entry?.id === "string" && isWhole(entry) ? [entry] : [];
    }
    catch {
        return [];
    }
}
/** Whether an entry has what sending it reads: a record may be JSON, and only a part of what was written. */
function isWhole(entry) {
    const isTime = (text) => typeof text === "string" && !Number.isNaN(Date.parse(text));
    switch (entry.kind) {
        case "session":
            return isTime(entry.session.start_time) && isTime(entry.session.end_time) && typeof entry.heldUntil === "number";
        case "end":
            return typeof entry.sessionId === "string" && [entry.playedMs, entry.endedAt].every(Number.isFinite);
        case "achievement":
            return isTime(entry.achievement.happened_at);
        default:
            return false;
    }
}
