import assert from "node:assert/strict";
import { test } from "node:test";
import { announcementsOf } from "../src/seat.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const at = (seconds) => announcementsOf(new Date(NOW + seconds * 1_000).toISOString(), NOW);

test("the end of a lent seat is announced at once, a minute before, and shortly before", () => {
  assert.deepEqual(at(300), [{ inMs: 0, leftSeconds: 300 }, { inMs: 240_000, leftSeconds: 60 }, { inMs: 290_000, leftSeconds: 10 }]);
});

test("what is past is not announced again", () => {
  assert.deepEqual(at(60), [{ inMs: 0, leftSeconds: 60 }, { inMs: 50_000, leftSeconds: 10 }]);
  assert.deepEqual(at(5), [{ inMs: 0, leftSeconds: 5 }]);
  assert.deepEqual(at(-5), [{ inMs: 0, leftSeconds: 0 }]);
});
