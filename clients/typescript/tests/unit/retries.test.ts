import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_RETRIES, isRetried, pauseSeconds, retryAfterSeconds } from "../../src/http/retries.js";
import { pause } from "../../src/pause.js";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const KEYED = { isRead: false, isKeyed: true };
const READ = { isRead: true, isKeyed: false };
const UNSURE = { isRead: false, isKeyed: false };

test("failures that pass are retried, refusals are not", () => {
  for (const status of [429, 502, 503, 504]) assert.ok(isRetried(status, UNSURE), String(status));
  for (const status of [200, 202, 304, 400, 401, 404, 409, 412, 413, 501]) assert.ok(!isRetried(status, KEYED));
});

test("a 500 is retried only where the request counts once", () => {
  assert.ok(isRetried(500, KEYED) && isRetried(500, READ));
  assert.ok(!isRetried(500, UNSURE));
});

const asked = (text: string, date?: string) =>
  retryAfterSeconds(new Headers({ "Retry-After": text, ...(date === undefined ? {} : { Date: date }) }), NOW);

test("Retry-After is read as seconds and as a date", () => {
  assert.equal(asked("7"), 7);
  assert.equal(asked(" 0 "), 0);
  assert.equal(asked("Sat, 28 Nov 2026 12:00:30 GMT"), 30);
  assert.equal(asked("Wed, 21 Oct 2015 07:28:00 GMT"), 0);
});

test("a date in Retry-After is one of the service's clock, whatever the machine's says", () => {
  assert.equal(asked("Wed, 01 Jan 2020 00:00:07 GMT", "Wed, 01 Jan 2020 00:00:00 GMT"), 7);
  assert.equal(asked("Sat, 28 Nov 2026 12:00:30 GMT", "yesterday"), 30);
});

test("nobody is asked to wait for more than a year", () => {
  // notatallshaw/nab#596 and openai/openai-agents-python#4021: as many digits as fit, and the last day of all years.
  for (const text of ["9".repeat(5_000), "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]) {
    assert.equal(asked(text), 31_536_000, text);
  }
});

test("a Retry-After that is neither is as good as none", () => {
  assert.equal(retryAfterSeconds(new Headers(), NOW), undefined);
  for (const text of ["", "-1", "NaN", "Infinity", "-Infinity", "1e400", "soon", "Nov 99, 12:00"]) {
    assert.equal(asked(text), undefined, text);
  }
});

test("a pause that is longer than any timer does not end at once", async () => {
  const waiting = new AbortController();
  let hasEnded = false;
  const ended = pause(31_536_000, waiting.signal).finally(() => {
    hasEnded = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(hasEnded, false);
  waiting.abort(new Error("enough"));
  await assert.rejects(ended, /enough/);
});

test("pauses double up to their longest and are full jitter", () => {
  const policy = { ...DEFAULT_RETRIES, tries: 99, totalSeconds: 9_999, firstPauseSeconds: 1, longestPauseSeconds: 5 };
  const pauses = [1, 2, 3, 4].map((tried) =>
    pauseSeconds({ tried, elapsedSeconds: 0, askedSeconds: undefined }, policy, 1),
  );
  assert.deepEqual(pauses, [1, 2, 4, 5]);
  assert.equal(pauseSeconds({ tried: 4, elapsedSeconds: 0, askedSeconds: undefined }, policy, 0), 0);
});

test("a Retry-After is never undercut, and jitter is added to it", () => {
  const state = { tried: 1, elapsedSeconds: 0, askedSeconds: 10 };
  assert.equal(pauseSeconds(state, DEFAULT_RETRIES, 0), 10);
  assert.equal(pauseSeconds(state, DEFAULT_RETRIES, 1), 10.5);
});

test("there is no pause beyond the tries, or beyond the total time", () => {
  const state = { tried: 1, elapsedSeconds: 0, askedSeconds: undefined };
  assert.equal(pauseSeconds({ ...state, tried: DEFAULT_RETRIES.tries }, DEFAULT_RETRIES, 0), undefined);
  assert.equal(pauseSeconds({ ...state, elapsedSeconds: 121 }, DEFAULT_RETRIES, 0), undefined);
  assert.equal(pauseSeconds({ ...state, askedSeconds: 1_800 }, DEFAULT_RETRIES, 0), undefined);
});
