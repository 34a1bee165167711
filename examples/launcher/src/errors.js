/** What a failure says to the player, in the language of the window. Plain values, no I/O. */

import { LibraryError, LibraryRefusal } from "../vendor/client/index.js";

/** The service gives reasons in the language of the request; the words of a network's error, or of a bug, are no text. */
export function errorText(texts, error) {
  if (error instanceof RefusedWork) return refusalText(texts, error.code);
  // Nobody tries it again but the player: that the page itself does is said above it.
  if (error instanceof LibraryError && error.isTemporary) return texts.noAnswer;
  return error instanceof LibraryRefusal ? error.detail : texts.failed;
}

/** Why the service has refused an element of the offline queue. */
export function refusalText(texts, code) {
  return texts.refusals[code] ?? texts.failed;
}

/** An element of the offline queue that was refused. */
export class RefusedWork extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}
