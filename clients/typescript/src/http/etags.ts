/** Answers that are kept with their `ETag`, so that what has not changed is not sent again. */

export interface StoredAnswer {
  readonly etag: string;
  /** The text of the body. */
  readonly body: string;
}

/** Where answers are kept. A store that is shared, or slow, may answer a promise. */
export interface EtagStore {
  get(key: string): StoredAnswer | undefined | Promise<StoredAnswer | undefined>;
  set(key: string, answer: StoredAnswer): void | Promise<void>;
}

/** What a stored answer depends on. Another user's, or another language's, is never given. */
export function etagKey(method: string, url: string, language: string | undefined, user: string): string {
  return JSON.stringify([method, url, language ?? "", user]);
}

/** Keeps answers in memory; the one that was not used for longest makes room. */
export class MemoryEtagStore implements EtagStore {
  readonly #answers = new Map<string, StoredAnswer>();
  #size = 0;

  constructor(
    readonly maxEntries = 200,
    /** Characters of all bodies together. */
    readonly maxSize = 4_000_000,
  ) {}

  get(key: string): StoredAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer) {
      this.#answers.delete(key);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  set(key: string, answer: StoredAnswer): void {
    this.#remove(key);
    if (answer.body.length > this.maxSize) return;
    this.#answers.set(key, answer);
    this.#size += answer.body.length;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.maxEntries && this.#size <= this.maxSize) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const answer = this.#answers.get(key);
    if (!answer) return;
    this.#answers.delete(key);
    this.#size -= answer.body.length;
  }
}
