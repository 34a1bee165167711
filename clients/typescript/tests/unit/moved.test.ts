/** Sessions of a wrong clock, and where they are moved to: what overlaps counts once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { movedOf } from "../../src/offline/entries.js";

/** Sessions by their minutes, and the service's present as one of them. */
const SERVER_MINUTE = 10_000;
const moving = (
  spans: (readonly [number, number])[],
  refused: number[],
  now = SERVER_MINUTE,
  server = SERVER_MINUTE,
) => {
  const dateOf = (minute: number) => new Date(minute * 60_000).toISOString();
  const entries = spans.map(([start, end], index) => ({
    kind: "session" as const,
    id: String(index),
    heldUntil: 0,
    session: {
      client_session_id: String(index),
      product_id: "p",
      device_id: "deck",
      start_time: dateOf(start),
      end_time: dateOf(end),
    },
  }));
  const moved = movedOf(entries, new Set(refused), now * 60_000, server * 60_000);
  return [...moved].map(
    ([
      index,
      {
        id,
        session: { start_time, end_time },
      },
    ]) => {
      assert.equal(id, String(index));
      return [index, Date.parse(start_time) / 60_000, Date.parse(end_time) / 60_000] as const;
    },
  );
};

test("times are moved only where a clock is wrong, and never into the future", () => {
  const endOf = (end: number, now: number) => moving([[end - 1, end]], [0], now, 100)[0]?.[2];
  assert.equal(endOf(90, 100), undefined);
  assert.equal(endOf(104, 100), undefined);
  assert.equal(endOf(190, 200), 90);
  assert.equal(endOf(190, 100), 100); // it has been set right
  assert.equal(endOf(10, 20), 90);
  assert.deepEqual(moving([[89, 90]], [0], 100, Number.NaN), []);
});

test("sessions of a clock that is still wrong keep their distances", () => {
  const found = moving(
    [
      [180, 210],
      [240, 270],
    ],
    [0, 1],
    300,
    120,
  );
  assert.deepEqual(found, [
    [0, 0, 30],
    [1, 60, 90],
  ]);
});

test("sessions of a clock that was set right are not moved into each other, nor into what was accepted", () => {
  // All of them ended now, so that one would have counted.
  const found = moving(
    [
      [90, 99],
      [180, 210],
      [240, 270],
    ],
    [1, 2],
    100,
    100,
  );
  assert.deepEqual(found, [
    [1, 30, 60],
    [2, 60, 90],
  ]);
});

test("what is moved overlaps with nothing, and keeps its length", () => {
  // Numbers of a generator with a fixed seed, so that a failure can be repeated.
  let seed = 7;
  const random = (least: number, most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return least + (seed % (most - least + 1));
  };
  for (let turn = 0; turn < 300; turn += 1) {
    const spans = Array.from({ length: random(0, 12) }, () => {
      const start = SERVER_MINUTE + random(-400, 400);
      return [start, start + random(1, 60)] as const;
    });
    const refused = [...spans.keys()].filter(() => random(0, 1) === 1);
    const moved = moving(spans, refused);
    const accepted = spans.filter((_, index) => !refused.includes(index));
    for (const [place, [index, start, end]] of moved.entries()) {
      const [before, after] = spans[index] ?? [0, 0];
      assert.ok(end <= SERVER_MINUTE && end - start === after - before);
      const others = [...accepted, ...moved.slice(0, place).map(([, from, to]) => [from, to] as const)];
      assert.ok(!others.some(([from, to]) => from < end && start < to), JSON.stringify({ spans, refused, moved }));
    }
  }
});
