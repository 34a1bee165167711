import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, placeOf, windowOf } from "../src/place.js";

const PLAYERS = [{ name: { en: "Anna" } }, { name: { en: "Vera" } }];

test("a hash names a page, and everything else is the first one", () => {
  assert.deepEqual(placeOf("#/library"), { page: "library" });
  assert.deepEqual(placeOf("#/game/a%20b"), { page: "game", id: "a b" });
  for (const hash of ["", "#", "#/", "#/game", "#/library/1", "#/__proto__", "#main"]) {
    assert.deepEqual(placeOf(hash), { page: "home" }, hash);
  }
});

test("the address of a window names its player and its device", () => {
  const found = windowOf(addressOf(PLAYERS[1], "deck", ""), PLAYERS);
  assert.deepEqual([found.player, found.deviceId], [PLAYERS[1], "steam-deck"]);
  const usual = windowOf("?player=nobody&device=fridge", PLAYERS);
  assert.deepEqual([usual.player, usual.deviceId, usual.seconds], [PLAYERS[0], "anna-pc", 3600]);
});
