/** What a run of the offline queue survives. */

import { LibraryRefusal } from "../errors.js";

/** So many answers with 500 end a run: the service is ill, and not one of its elements. */
const MOST_FAILURES = 3;

/** What the service has failed at while it does the rest: that waits, and does not hold up what comes after it. */
export class Failures {
  first: LibraryRefusal | undefined;
  #count = 0;

  /** Does some work. Rethrows what would be the same for all of it: no service, no token, a limit. */
  async after(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#count += 1;
      if (!(error instanceof LibraryRefusal) || error.status !== 500 || this.#count === MOST_FAILURES) throw error;
      this.first ??= error;
    }
  }
}
