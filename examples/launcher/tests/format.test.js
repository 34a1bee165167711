import assert from "node:assert/strict";
import { test } from "node:test";
import { formats } from "../src/format.js";

const plain = (text) => text.replace(/\s/g, " ");

test("times and sizes are in the largest unit that fits", () => {
  const format = formats("en");
  assert.equal(format.duration(5400), "1.5 hrs");
  assert.equal(format.duration(90), "2 mins");
  assert.equal(plain(format.bytes(0)), "0 bytes");
  assert.deepEqual([1, 28].map((count) => plain(format.bytes(count))), ["1 byte", "28 bytes"]);
  assert.deepEqual([1, 2, 28].map((count) => plain(formats("ru").bytes(count))), ["1 байт", "2 байта", "28 байт"]);
  assert.deepEqual(["en", "ru"].map((language) => plain(formats(language).percent(12.5))), ["12.5%", "12,5 %"]);
  assert.equal(plain(format.bytes(1536)), "1.5 kB");
  assert.equal(plain(format.bytes(1024 ** 3)), "1 GB");
});

test("both languages write money and past times", () => {
  assert.match(plain(formats("ru").money(59900, "RUB")), /^599 ₽$/);
  assert.match(formats("en").money(9950, "RUB"), /99\.50/);
  const now = Date.parse("2026-11-28T12:00:00Z");
  assert.equal(formats("en").ago("2026-11-28T10:00:00Z", now), "2 hours ago");
  assert.equal(formats("ru").ago("2026-11-27T12:00:00Z", now), "вчера");
  assert.equal(formats("en").ago("2026-11-28T11:59:30Z", now), "now");
});

test("a clock counts minutes, then hours", () => {
  const { clock } = formats("en");
  assert.deepEqual([clock(5), clock(65), clock(3725), clock(-3)], ["0:05", "1:05", "1:02:05", "0:00"]);
});
