/** Clocks that are wrong, or set right, while a game is played. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { restOf } from "../../src/offline/entries.js";
import { ended, MINUTE, playing, started } from "../playing.js";
import { answer, refusal } from "../scripted.js";

test("a heartbeat whose answer was lost counts, and what was played before it does not count again", async () => {
  const timedOut = refusal(409, "SESSION_ALREADY_ENDED", {
    meta: { end_reason: "timeout", end_time: "2026-11-28T15:01:00Z" },
  });
  // This machine's clock is three hours behind the service's.
  const script = [started("s1", "2026-11-28T15:00:00Z"), new Error("lost"), new Error("cut"), timedOut, started("s2")];
  const { pass, client } = await playing([...script, ended()]);
  for (let turn = 0; turn < 3; turn += 1) await pass(MINUTE);
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end" && entry.playedMs === 3 * MINUTE);
  const rest = restOf(entry, "2026-11-28T15:01:00Z")?.session;
  assert.deepEqual([rest?.start_time, rest?.end_time], ["2026-11-28T15:01:00Z", "2026-11-28T15:03:00.000Z"]);
  assert.equal(restOf(entry, "2026-11-28T15:03:00Z"), undefined);
});

test("a clock that is set back while a game is played takes nothing away", async () => {
  const cut = new Error("cut");
  const { session, pass, client } = await playing([started("s1", "2026-11-28T12:00:00Z"), cut, cut, cut, cut, cut]);
  await pass(MINUTE);
  await pass(-179 * MINUTE, MINUTE);
  await pass(MINUTE);
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end");
  const rest = restOf(entry, "2026-11-28T12:00:00Z")?.session;
  assert.equal(rest?.end_time, "2026-11-28T12:03:00.000Z");
});

test("a clock that is set back counts no minute twice whose heartbeat's answer was lost", async () => {
  // It was three hours ahead, until before or after the network was lost; two heartbeats have arrived.
  const lost = new Error("lost");
  for (const turns of [
    [-179, 1, 1],
    [1, -179, 1],
  ]) {
    const script = [started("s1", "2026-11-28T09:00:00Z"), lost, lost, lost, lost, lost];
    const { session, pass, client } = await playing(script);
    for (const minutes of turns) await pass(minutes * MINUTE, MINUTE);
    await session.end();
    const [entry] = await client.offline.entries();
    assert.ok(entry?.kind === "end");
    const rest = restOf(entry, "2026-11-28T09:02:00Z")?.session;
    assert.deepEqual([rest?.start_time, rest?.end_time], ["2026-11-28T09:02:00Z", "2026-11-28T09:03:00.000Z"]);
  }
});

test("what is played offline while the clock is set back was played then", async () => {
  const cut = new Error("cut");
  const { session, pass, client } = await playing([cut, cut, cut, cut, cut, cut]);
  await pass(MINUTE);
  await pass(-179 * MINUTE, MINUTE);
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "session");
  const { start_time, end_time } = entry.session;
  assert.deepEqual([start_time, end_time], ["2026-11-28T09:00:00.000Z", "2026-11-28T09:02:00.000Z"]);
});

test("what is played offline by a clock that is behind is noted when it was played", async () => {
  // Times of the past are accepted, and what overlaps with an earlier session would not count.
  const cut = new Error("cut");
  const timedOut = refusal(409, "SESSION_ALREADY_ENDED", {
    meta: { end_reason: "timeout", end_time: "2026-11-28T15:01:00Z" },
  });
  const times = async ({ client }: Awaited<ReturnType<typeof playing>>) => {
    const found = (await client.offline.entries()).filter((one) => one.kind === "session");
    return found.map(({ session }) => [session.start_time, session.end_time]);
  };
  const later = await playing([started("s1", "2026-11-28T15:00:00Z"), timedOut, cut, cut, cut, cut, cut, cut]);
  await later.pass(MINUTE);
  await later.pass(MINUTE);
  assert.deepEqual(await times(later), [["2026-11-28T15:01:00.000Z", "2026-11-28T15:02:00.000Z"]]);
  // It is not known before the service is reached.
  const first = await playing([cut, cut, cut, cut, started("s2", "2026-11-28T15:02:00Z"), ended()]);
  await first.pass(MINUTE);
  assert.deepEqual(await times(first), [["2026-11-28T12:00:00.000Z", "2026-11-28T12:01:00.000Z"]]);
  await first.pass(MINUTE);
  assert.deepEqual(await times(first), [["2026-11-28T15:00:00.000Z", "2026-11-28T15:02:00.000Z"]]);
});

test("a session that is taken up again knows the service's clock by the answer's date", async () => {
  // Also in a page: the service exposes `Date`. Its start says when it began, and that was before a crash.
  const date = { Date: "Sat, 28 Nov 2026 15:00:00 GMT" };
  const attributes = { end_reason: null, start_time: "2026-11-28T14:00:00Z" };
  const running = answer({ data: { id: "s1", attributes } }, { headers: date });
  const lost = new Error("lost");
  const { session, pass, client } = await playing([running, lost, lost, lost, lost]);
  await pass(MINUTE);
  await pass(MINUTE);
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end");
  const rest = restOf(entry, "2026-11-28T15:01:00Z")?.session;
  assert.deepEqual([rest?.start_time, rest?.end_time], ["2026-11-28T15:01:00Z", "2026-11-28T15:02:00.000Z"]);
});

test("an answer that refuses has the time of the service as well", async () => {
  // This machine's clock is three hours behind; the service is ill at the start, and at each heartbeat.
  const headers = { Date: "Sat, 28 Nov 2026 15:00:00 GMT" };
  const ill = () => refusal(503, "SERVICE_UNAVAILABLE", { headers });
  const cut = new Error("cut");
  const offline = await playing([ill(), ill(), cut, cut, cut, cut]);
  await offline.pass(MINUTE);
  const [session] = await offline.client.offline.entries();
  assert.ok(session?.kind === "session");
  assert.deepEqual(
    [session.session.start_time, session.session.end_time],
    ["2026-11-28T15:00:00.000Z", "2026-11-28T15:01:00.000Z"],
  );
  const online = await playing([started(), ill(), cut, cut]);
  await online.pass(MINUTE);
  const [end] = await online.client.offline.entries();
  assert.ok(end?.kind === "end");
  assert.equal(end.serverAheadMs, 179 * MINUTE);
});
