/** The token of the user: asked for once, kept until it is refused, renewed once however many requests wait for it. */

import { LibraryError, TokenUnavailable } from "../errors.js";
import { waitFor, withLimit } from "./limits.js";

/** A provider that does not answer in that time is asked again, by the next request. */
const ANSWER_SECONDS = 30;

/**
 * Gives the current token. `renew` is true after the service has refused the one that it gave last.
 *
 * If it throws, there is no token now: calls reject with `TokenUnavailable`, games are played offline, and live updates
 * ask again. Where there will be none, as after a sign-out, it gives the refused one again.
 */
export type TokenProvider = (renew: boolean) => string | Promise<string>;

export class TokenSource {
  readonly #provider: TokenProvider;
  readonly #canRenew: boolean;
  #token: string | undefined;
  #asking: Promise<string> | undefined;
  readonly #fixed: string | undefined;

  constructor(token: string | TokenProvider) {
    this.#canRenew = typeof token !== "string";
    this.#fixed = typeof token === "string" ? checked(token, "the token is") : undefined;
    this.#provider = typeof token === "string" ? () => token : token;
  }

  /** The `sub` of the token that is known; undefined before the first one was asked for. */
  get user(): string | undefined {
    return userOf(this.#token ?? this.#fixed ?? "");
  }

  /** The token for the next request. */
  current(): Promise<string> {
    return this.#token === undefined ? this.#ask(false) : Promise.resolve(this.#token);
  }

  /**
   * A token other than the one that was refused; undefined if there is no other. A request that was refused after
   * another one has renewed the token gets that one, without asking again.
   */
  async renewed(refused: string): Promise<string | undefined> {
    if (!this.#canRenew) return undefined;
    const token = this.#token !== undefined && this.#token !== refused ? this.#token : await this.#ask(true);
    return token === refused ? undefined : token;
  }

  #ask(renew: boolean): Promise<string> {
    // A question that fails is not remembered: the next request asks again.
    this.#asking ??= withLimit(ANSWER_SECONDS, undefined, (limit) => waitFor(this.#provided(renew), limit))
      .then((token) => {
        this.#token = checked(token);
        return token;
      })
      // Most providers fetch the token, and without a network `fetch` throws no error of this client.
      .catch((error: unknown) => {
        throw error instanceof LibraryError ? error : new TokenUnavailable(`no token: ${error}`, { cause: error });
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #provided(renew: boolean): Promise<string> {
    return this.#provider(renew);
  }
}

/** A token as it can stand in a header. The token itself is in no message: messages are logged. */
function checked(token: unknown, what = "the token provider gave a text that is"): string {
  if (typeof token !== "string") throw new TypeError(`the token provider gave no text, but: ${typeof token}`);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(`${what} empty, or has other than printable ASCII characters`);
  }
  return token;
}

/** The `sub` of a JSON Web Token; undefined if it is none. Nothing is decided by it but whose stored answers are used. */
export function userOf(token: string): string | undefined {
  const [, payload, signature] = token.split(".");
  if (!payload || !signature) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const user = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : undefined;
    return typeof user === "string" ? user : undefined;
  } catch {
    return undefined;
  }
}
