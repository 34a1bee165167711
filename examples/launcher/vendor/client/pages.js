/** Collections: one page when it is awaited, all elements when it is iterated. */
import { ForeignAnswer } from "./errors.js";
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
export class Pages {
    #fetch;
    #place;
    #page;
    constructor(fetch, place = {}) {
        this.#fetch = fetch;
        this.#place = place;
    }
    /** The page that the query names, or the first one. */
    // biome-ignore lint/suspicious/noThenProperty: a page is awaited as the answers of other calls are
    then(fulfilled, rejected) {
        this.#page ??= this.#fetch({});
        return this.#page.then(fulfilled, rejected);
    }
    async *[Symbol.asyncIterator]() {
        const limit = this.#place.limit ?? LARGEST_PAGE;
        const first = this.#place.page ?? 1;
        let before = new Set();
        for (let page = first; page < first + MOST_PAGES; page += 1) {
            const { data, links } = await this.#fetch({ page, limit });
            for (const element of data)
                if (!before.has(element.id))
                    yield element;
            if (links.next === undefined || data.length === 0)
                return;
            before = new Set(data.map((element) => element.id));
        }
        throw new ForeignAnswer("the pages have no end", 200);
    }
    /** All elements in one array. */
    async all() {
        const elements = [];
        for await (const element of this)
            elements.push(element);
        return elements;
    }
}
