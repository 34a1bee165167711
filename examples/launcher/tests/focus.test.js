import assert from "node:assert/strict";
import { test } from "node:test";
import { successorsOf } from "../src/focus.js";

test("what had the focus keeps it, and where it is gone its neighbours take it over", () => {
  assert.deepEqual(successorsOf(["a", "b", "c", "d", "e"], 2), ["c", "d", "b", "e", "a"]);
  assert.deepEqual(successorsOf(["a", "b", "c"], 2), ["c", "b", "a"]);
  assert.deepEqual(successorsOf(["a", undefined, "c"], 1), ["c", "a"]);
  assert.deepEqual(successorsOf([], -1), []);
});
