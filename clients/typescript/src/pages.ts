/** Collections: one page when it is awaited, all elements when it is iterated. */

import type { Answer } from "./calls.js";
import { ForeignAnswer } from "./errors.js";

export interface PageDocument<T> {
  data: T[];
  links: { next?: string };
}

/** Elements per request of an iteration, unless the query says otherwise: the most that the service allows. */
const LARGEST_PAGE = 100;
/** More than any collection has: an answer that names a next page for ever ends here. */
const MOST_PAGES = 10_000;

/**
 * `await` answers one page, `for await` goes through all of them and fetches each when it is needed.
 *
 * Pages are places in a list that may change meanwhile. An element that has moved to the next page is not given twice;
 * one that has moved to an earlier page is not seen. What must be complete is read again after a message about it.
 */
export class Pages<T extends { id: string }, D extends PageDocument<T>>
  implements PromiseLike<Answer<D>>, AsyncIterable<T>
{
  readonly #fetch: (place: { page?: number; limit?: number }) => Promise<Answer<D>>;
  readonly #place: { page?: number; limit?: number };
  #page: Promise<Answer<D>> | undefined;

  constructor(
    fetch: (place: { page?: number; limit?: number }) => Promise<Answer<D>>,
    place: { page?: number; limit?: number } = {},
  ) {
    this.#fetch = fetch;
    this.#place = place;
  }

  /** The page that the query names, or the first one. */
  // biome-ignore lint/suspicious/noThenProperty: a page is awaited as the answers of other calls are
  then<A = Answer<D>, B = never>(
    fulfilled?: ((page: Answer<D>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#page ??= this.#fetch({});
    return this.#page.then(fulfilled, rejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const limit = this.#place.limit ?? LARGEST_PAGE;
    const first = this.#place.page ?? 1;
    let before = new Set<string>();
    for (let page = first; page < first + MOST_PAGES; page += 1) {
      const { data, links } = await this.#fetch({ page, limit });
      for (const element of data) if (!before.has(element.id)) yield element;
      if (links.next === undefined || data.length === 0) return;
      before = new Set(data.map((element) => element.id));
    }
    throw new ForeignAnswer("the pages have no end", 200);
  }

  /** All elements in one array. */
  async all(): Promise<T[]> {
    const elements: T[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }
}
