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
        const isEntry = typeof entry?.id === "string" && ["session", "end", "achievement"].includes(entry.kind);
        return isEntry ? [entry] : [];
    }
    catch {
        return [];
    }
}
