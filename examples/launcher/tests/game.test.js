import assert from "node:assert/strict";
import { test } from "node:test";
import { decoded, encoded, newGame, played } from "../src/saves/game.js";

test("two devices that play change different files, and both write one", () => {
  const [pc, deck] = [played(newGame(), "pc"), played(newGame(), "deck")];
  const changed = (files) => Object.keys(files).filter((path) => JSON.stringify(files[path]) !== JSON.stringify(newGame()[path]));
  assert.deepEqual(changed(pc), ["saves/hero.json", "saves/journal.json"]);
  assert.deepEqual(changed(deck), ["saves/world.json", "saves/journal.json"]);
  assert.notDeepEqual(pc["saves/journal.json"], deck["saves/journal.json"]);
});

test("what was saved is loaded, and what is no JSON is left out", () => {
  const files = played({}, "deck");
  const bytes = Object.entries(encoded(files)).map(([path, content]) => ({ path, bytes: content }));
  assert.deepEqual(decoded(bytes), files);
  const damaged = [{ path: "a", bytes: new Uint8Array([1]) }, { path: null, bytes: new Uint8Array([49]) }, { path: "b" }];
  assert.deepEqual(decoded(damaged), {});
});
