/** The service that tests/clients/test_typescript.py has started, and what only that can do: tokens, purchases, restarts. */

import { type ClientOptions, LibraryClient, type TokenProvider } from "../../src/index.js";

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: pytest tests/clients/test_typescript.py runs these tests`);
  return value;
}

export const SERVICE = variable("GAMESHELF_SERVICE");
const TESTBED = variable("GAMESHELF_TESTBED");

export interface Player {
  user: string;
  token: string;
  /** A game that the player owns. */
  product: string;
}

async function ask<T>(path: string, body: object = {}): Promise<T> {
  const response = await fetch(`${TESTBED}${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

/** A new player who owns a game. */
export const createPlayer = () => ask<Player>("/player");
/** A token that is valid for some seconds, or that has expired that long ago. */
export const createToken = async (user: string, seconds: number) =>
  (await ask<{ token: string }>("/token", { user, seconds })).token;
/** Buys games, which are in the library a moment later. */
export const buy = (user: string, products: string[]) => ask<object>("/purchase", { user, products });
/** The Catalog names a game and its only achievement. */
export const nameGame = (product: string, achievement: string) => ask<object>("/name", { product, achievement });
/** Restarts the service on the same port. Tests of other files must not run meanwhile. */
export const restart = () => ask<object>("/restart");

/** Pauses last a hundredth of what they would, so that a test waits only for the service. */
export const HURRY: ClientOptions = {
  language: "en",
  pause: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 10)),
};

export function clientOf(player: Player, url: string, token: TokenProvider | string = player.token, options = {}) {
  return new LibraryClient(url, token, { ...HURRY, ...options });
}

/** Waits until a check gives something. */
export async function until<T>(check: () => Promise<T | undefined> | T | undefined): Promise<T> {
  while (true) {
    const found = await check();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
