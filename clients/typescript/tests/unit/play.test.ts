import assert from "node:assert/strict";
import { test } from "node:test";
import { LibraryRefusal, type PlayNotice, TokenUnavailable } from "../../src/index.js";
import { restOf } from "../../src/offline/entries.js";
import { heldMs, playedMs } from "../../src/play/ticks.js";
import { beaten, ended, MINUTE, playing, started } from "../playing.js";
import { answer, refusal, type Scripted, scripted } from "../scripted.js";

test("a session is started, kept alive and ended", async () => {
  const { session, sent, pass, client, kinds } = await playing([started(), beaten(), beaten(), ended()]);
  await pass(MINUTE);
  await pass(MINUTE);
  await session.end();
  await session.end();
  assert.deepEqual(
    sent.map((one) => one.url.split("/").pop()),
    ["start", "heartbeat", "heartbeat", "end"],
  );
  assert.deepEqual([kinds(), await client.offline.entries(), session.state], [[], [], "over"]);
});

test("a game that may not be played is refused at its start", async () => {
  await assert.rejects(playing([refusal(403, "PERMISSION_DENIED")]), LibraryRefusal);
});

test("a seat that is reclaimed is reported once, a lost one ends the session", async () => {
  const lostAt = { "X-Seat-Lost-At": "2026-11-28T12:05:00Z" };
  const script = [started(), beaten(lostAt), beaten(lostAt), refusal(409, "FAMILY_SEAT_LOST")];
  const { session, pass, notices, sent } = await playing(script);
  for (let turn = 0; turn < 4; turn += 1) await pass(MINUTE);
  await session.end();
  assert.deepEqual(notices, [
    { kind: "seat_reclaimed", lostAt: "2026-11-28T12:05:00Z" },
    { kind: "over", reason: "seat_lost" },
  ]);
  assert.equal(sent.length, 4);
});

test("a start without the service is noted, and grows with each turn", async () => {
  const cut = new Error("cut");
  const { session, pass, client, kinds } = await playing([cut, cut, cut, cut, cut, cut]);
  await pass(MINUTE);
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "session" && entry.heldUntil > 0);
  assert.equal(entry.session.end_time, "2026-11-28T12:01:00.000Z");
  await pass(MINUTE);
  await session.end();
  const entries = await client.offline.entries();
  assert.equal(entries.length, 1);
  assert.ok(entries[0]?.kind === "session" && entries[0].heldUntil === 0);
  assert.equal(entries[0].session.end_time, "2026-11-28T12:02:00.000Z");
  assert.deepEqual(kinds(), ["offline"]);
});

test("what is shorter than a second is no session, and does not wait", async () => {
  const { session, clock, client } = await playing([new Error("cut"), new Error("cut")]);
  clock.ms += 999;
  await session.end();
  assert.deepEqual(await client.offline.entries(), []);
});

test("a session that began offline continues at the service, and both count", async () => {
  const { session, pass, client, kinds } = await playing([new Error("cut"), new Error("cut"), started("s2"), ended()]);
  await pass(MINUTE);
  assert.equal(session.sessionId, "s2");
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "session" && entry.heldUntil === 0);
  assert.equal(entry.session.end_time, "2026-11-28T12:01:00.000Z");
  assert.deepEqual(kinds(), ["offline", "online"]);
});

test("an end that the service does not get waits with what it has not counted", async () => {
  const { session, pass, clock, client } = await playing([
    started(),
    beaten(),
    new Error("cut"),
    new Error("cut"),
    new Error("cut"),
  ]);
  await pass(MINUTE);
  await pass(MINUTE);
  clock.ms += MINUTE / 2;
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end");
  assert.deepEqual([entry.sessionId, entry.playedMs], ["s1", 1.5 * MINUTE]);
});

test("what is played after the network has gone is in the queue at each turn, until a heartbeat is answered", async () => {
  // A crash, or a tab that is closed, loses one interval and not an evening.
  const cut = new Error("cut");
  const { session, pass, client, kinds, clock } = await playing([started(), cut, cut, beaten(), cut, cut, cut]);
  const noted = async () => (await client.offline.entries()).map((one) => one.kind === "end" && one.playedMs);
  await pass(MINUTE);
  assert.deepEqual(await noted(), [MINUTE]);
  await pass(MINUTE);
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end" && entry.sessionId === "s1" && entry.playedMs === 2 * MINUTE);
  assert.equal(entry.heldUntil, clock.ms + heldMs(MINUTE));
  await pass(MINUTE);
  assert.deepEqual(await noted(), []);
  await pass(MINUTE);
  await session.end();
  assert.deepEqual([await noted(), kinds()], [[MINUTE], ["offline", "online", "offline"]]);
  const [ended] = await client.offline.entries();
  assert.ok(ended?.kind === "end" && ended.heldUntil === 0);
});

test("what was noted is forgotten once the session is ended, or counts no more", async () => {
  for (const last of [ended(), refusal(409, "FAMILY_SEAT_LOST")]) {
    const { session, pass, client } = await playing([started(), new Error("cut"), last]);
    await pass(MINUTE);
    await session.end();
    assert.deepEqual(await client.offline.entries(), []);
  }
});

test("what a crashed game has noted is forgotten once its session, taken up again, is confirmed", async () => {
  const running = () => answer({ data: { id: "s1", attributes: { end_reason: null } } });
  const { pass, client } = await playing([running(), new Error("cut"), beaten(), ended()]);
  const end = { sessionId: "s1", idempotencyKey: "k", product_id: "p", device_id: "deck", platform: null };
  await client.offline.addEnd({ ...end, playedMs: MINUTE, endedAt: 0, heldUntil: 1 });
  await client.offline.addEnd({ ...end, playedMs: MINUTE, endedAt: 0, part: 1 });
  await client.offline.addEnd({ ...end, sessionId: "s2", playedMs: MINUTE, endedAt: 0 });
  await pass(MINUTE);
  assert.equal((await client.offline.entries()).length, 3);
  await pass(MINUTE);
  assert.deepEqual(
    (await client.offline.entries()).map((one) => one.id),
    ["end-s2"],
  );
});

test("what is played online before and after a sleep without the network are two sessions", async () => {
  // Woken up, another program sends what waits before this one notes more of it.
  const cut = new Error("cut");
  const { session, pass, client } = await playing([started("s1", "2026-11-28T12:00:00Z"), cut, cut, cut, cut, cut]);
  await pass(MINUTE);
  await pass(8 * 60 * MINUTE);
  await pass(MINUTE);
  await session.end();
  const rests = (await client.offline.entries()).map((one) => {
    assert.ok(one.kind === "end" && one.heldUntil === 0);
    return restOf(one, "2026-11-28T12:00:00Z")?.session;
  });
  assert.deepEqual(
    rests.map((one) => [one?.client_session_id, one?.start_time, one?.end_time]),
    [
      ["s1:rest", "2026-11-28T12:00:00Z", "2026-11-28T12:01:00.000Z"],
      ["s1:rest1", "2026-11-28T20:01:00.000Z", "2026-11-28T20:02:00.000Z"],
    ],
  );
});

test("a session that timed out meanwhile is continued by a new one", async () => {
  const timedOut = refusal(409, "SESSION_ALREADY_ENDED", {
    meta: { end_reason: "timeout", end_time: "2026-11-28T12:01:00Z" },
  });
  const { session, pass, client, kinds } = await playing([started(), new Error("cut"), timedOut, started("s2")]);
  await pass(MINUTE);
  await pass(MINUTE);
  assert.equal(session.sessionId, "s2");
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end" && entry.playedMs === 2 * MINUTE);
  assert.deepEqual(kinds(), ["offline", "online"]);
});

test("each outage is said once, and a session that timed out is no outage", async () => {
  const timedOut = () =>
    refusal(409, "SESSION_ALREADY_ENDED", { meta: { end_reason: "timeout", end_time: "2026-11-28T12:00:00Z" } });
  const cut = new Error("cut");
  const script = [started(), timedOut(), started("s2"), timedOut(), cut, cut, cut, cut, started("s3"), cut, timedOut()];
  const { session, pass, kinds } = await playing([...script, cut, cut, started("s4"), ended()]);
  await pass(MINUTE);
  assert.deepEqual([session.sessionId, kinds()], ["s2", []]);
  await pass(MINUTE); // it timed out, and another one can't be started now
  await pass(MINUTE);
  assert.deepEqual([session.state, kinds()], ["offline", ["offline"]]);
  await pass(MINUTE);
  assert.deepEqual([session.sessionId, kinds()], ["s3", ["offline", "online"]]);
  await pass(MINUTE);
  await pass(MINUTE); // the service answers once, and is away again
  await pass(MINUTE);
  assert.deepEqual([session.sessionId, kinds()], ["s4", ["offline", "online", "offline", "online"]]);
});

test("a service that does not answer delays the end by one turn, however short the interval is", async () => {
  let beats = 0;
  const hanging: Scripted = ({ url }, { signal }) => {
    if (url.endsWith("/end")) return ended();
    beats += 1;
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  };
  const { client } = scripted([started(), hanging, hanging, hanging], "token", { retries: { tries: 1 } });
  const session = await client.play("p", { heartbeatSeconds: 0.05 });
  while (beats === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 200)); // turns that are due meanwhile do not wait in a row
  const began = performance.now();
  await session.end();
  assert.ok(performance.now() - began < 5_000);
  assert.equal(beats, 1);
});

test("an end that finds a session timed out keeps the rest", async () => {
  const { session, clock, client } = await playing([started(), ended("timeout")]);
  clock.ms += MINUTE;
  await session.end();
  assert.equal((await client.offline.entries())[0]?.kind, "end");
});

test("a sleep of the machine is reported and not counted", async () => {
  const { session, pass, notices, client } = await playing([
    started(),
    beaten(),
    new Error("cut"),
    new Error("cut"),
    new Error("cut"),
  ]);
  await pass(MINUTE);
  await pass(8 * 60 * MINUTE);
  await session.end();
  const [entry] = await client.offline.entries();
  assert.ok(entry?.kind === "end" && entry.playedMs === 0);
  assert.deepEqual(notices[0], { kind: "slept", seconds: 8 * 3600 });
});

test("what is played offline after a sleep is another session", async () => {
  // JosefNemec/Playnite#3702, and what it hides: woken up, a launcher sends what waits before the game notes more of it.
  const cut = new Error("cut");
  const { pass, client, session, notices } = await playing([cut, cut, cut, cut, cut, cut, cut, cut]);
  await pass(MINUTE);
  await pass(8 * 60 * MINUTE);
  await pass(MINUTE);
  await session.end();
  const entries = await client.offline.entries();
  const lengths = entries.map((one) => {
    assert.ok(one.kind === "session" && one.heldUntil === 0);
    return [one.session.start_time, one.session.end_time];
  });
  assert.deepEqual(lengths, [
    ["2026-11-28T12:00:00.000Z", "2026-11-28T12:01:00.000Z"],
    ["2026-11-28T20:01:00.000Z", "2026-11-28T20:02:00.000Z"],
  ]);
  assert.equal(notices.filter((one) => one.kind === "slept").length, 1);
});

test("a gap of two turns was played, a longer one was slept", () => {
  assert.deepEqual(playedMs(2 * MINUTE, MINUTE), { playedMs: 2 * MINUTE, sleptMs: 0 });
  assert.deepEqual(playedMs(9 * MINUTE, MINUTE), { playedMs: 0, sleptMs: 9 * MINUTE });
  // A page that is hidden is woken once a minute, however short its interval is.
  assert.deepEqual(playedMs(MINUTE, MINUTE / 3), { playedMs: MINUTE, sleptMs: 0 });
  assert.deepEqual(playedMs(2.1 * MINUTE, MINUTE), { playedMs: 2.1 * MINUTE, sleptMs: 0 });
});

test("a session that is noted is held for longer than any gap that is no sleep", () => {
  // Sent in between, it would be refused for ever when it is noted again, longer, by the same id.
  for (const interval of [0.1, 20, 49, 60, 100, 300].map((seconds) => seconds * 1000)) {
    const held = heldMs(interval);
    assert.ok(playedMs(held, interval).sleptMs > 0, `${interval}: ${held}`);
    assert.ok(held >= 3 * interval);
  }
});

test("a store that is full ends no heartbeats, and what was played is kept once it has room", async () => {
  // firebase/firebase-js-sdk#5031: one write that the full storage refused was the last one.
  const { session, client, pass, notices, sent } = await playing([new Error("cut"), new Error("cut")]);
  const put = client.offline.addSession.bind(client.offline);
  client.offline.addSession = () => Promise.reject(new DOMException("it is full", "QuotaExceededError"));
  await pass(MINUTE);
  await assert.rejects(session.end(), /it is full/);
  assert.deepEqual(
    notices.map((one) => one.kind),
    ["offline", "failed"],
  );
  client.offline.addSession = put;
  await pass(MINUTE);
  await session.end();
  const [kept] = await client.offline.entries();
  assert.ok(kept?.kind === "session");
  const { start_time, end_time } = kept.session;
  assert.equal(Date.parse(end_time) - Date.parse(start_time), 2 * MINUTE);
  assert.ok(sent.length >= 1);
});

test("a game that fails at its notices loses nothing of what it plays", async () => {
  // Its own error is a notice, so that it is seen; one about that is left alone. A rejection must not end Node.
  const throwing = () => {
    throw new Error("no such toast");
  };
  const rejecting = () => Promise.reject(new Error("no such toast"));
  const second = ({ kind }: PlayNotice) => kind !== "failed" && throwing();
  const timedOut = refusal(409, "SESSION_ALREADY_ENDED", {
    meta: { end_reason: "timeout", end_time: "2026-11-28T12:00:00Z" },
  });
  for (const handle of [throwing, rejecting, second]) {
    const cut = new Error("cut");
    const script = [started(), cut, beaten({ "X-Seat-Lost-At": "2026-11-28T12:05:00Z" }), timedOut.clone(), cut, cut];
    const { session, pass, client, notices } = await playing([...script, cut, cut], "token", handle);
    await pass(MINUTE);
    assert.equal((await client.offline.entries()).length, 1);
    for (let turn = 0; turn < 3; turn += 1) await pass(MINUTE);
    await pass(8 * 60 * MINUTE);
    await session.end();
    await new Promise((resolve) => setImmediate(resolve));
    const said = notices.filter((one) => one.kind !== "failed").map((one) => one.kind);
    assert.deepEqual(said, ["offline", "online", "seat_reclaimed", "offline", "slept"]);
    assert.equal(
      notices.filter((one) => one.kind === "failed" && String(one.error) === "Error: no such toast").length,
      5,
    );
    const kinds = (await client.offline.entries()).map((one) => one.kind);
    assert.deepEqual(kinds.sort(), ["end", "session"]);
  }
});

test("a game whose notice of a start without the network fails is played", async () => {
  const { session, pass, client } = await playing([], "token", () => {
    throw new Error("no such toast");
  });
  await pass(MINUTE);
  await session.end();
  assert.equal((await client.offline.entries()).length, 1);
});

test("an interval that is not positive is an error at once, and one that is longer than any timer makes no storm", async () => {
  for (const heartbeatSeconds of [0, -1, Number.NaN]) {
    await assert.rejects(scripted([]).client.play("p", { heartbeatSeconds }), RangeError);
  }
  const { client, sent } = scripted([started(), ended()]);
  const session = await client.play("p", { heartbeatSeconds: 1e9 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await session.end();
  assert.equal(sent.length, 2);
});

test("what is played is noted before the game is notified of the outage", async () => {
  const found: number[] = [];
  const { pass, client } = await playing([started(), new Error("cut"), ended()], "token", () => void note());
  const note = async () => found.push((await client.offline.entries()).length);
  await pass(MINUTE);
  assert.deepEqual(found, [1]);
});

test("a token that has expired and cannot be renewed costs no time of play", async () => {
  const expired = () => refusal(401, "UNAUTHENTICATED");
  const { session, client, pass, kinds } = await playing([started(), expired, expired, expired]);
  await pass(MINUTE);
  await pass(MINUTE);
  await session.end();
  assert.deepEqual(kinds(), ["offline"]);
  const [kept] = await client.offline.entries();
  assert.ok(kept?.kind === "end" && kept.playedMs === 2 * MINUTE);
});

test("a token provider that fails costs no end", async () => {
  // supabase/supabase-js#1732: after an outage there was no token, and what was done meanwhile was gone.
  const { session, client, pass, notices } = await playing([started()]);
  client.playtime.recordHeartbeat = () => Promise.reject(new Error("signed out"));
  client.playtime.endSession = () => Promise.reject(new Error("signed out"));
  await pass(MINUTE);
  await pass(MINUTE);
  await session.end();
  assert.deepEqual(
    notices.map((one) => one.kind),
    ["failed", "failed"],
  );
  const [kept] = await client.offline.entries();
  assert.ok(kept?.kind === "end" && kept.playedMs === 2 * MINUTE);
  assert.equal(session.state, "over");
});

test("a game starts although the token provider fails, for any reason", async () => {
  // A provider that fetches the token: without a network, fetch throws a plain TypeError.
  for (const failure of [new TypeError("Failed to fetch"), new RangeError("a bug"), "a text", undefined]) {
    const { session, pass, client, kinds } = await playing([], () => {
      throw failure;
    });
    await pass(MINUTE);
    await session.end();
    assert.deepEqual(kinds(), ["offline"]);
    const [kept] = await client.offline.entries();
    assert.ok(kept?.kind === "session" && kept.session.end_time === "2026-11-28T12:01:00.000Z");
    const report = await client.offline.flush();
    assert.ok(report.error instanceof TokenUnavailable && report.results.length === 0);
    assert.equal((await client.offline.entries()).length, 1);
  }
});

test("a token provider that fails while a game is played costs no time", async () => {
  const expired = () => refusal(401, "UNAUTHENTICATED");
  const { session, pass, client, kinds } = await playing([started(), expired, expired], (renew) => {
    if (renew) throw new TypeError("Failed to fetch");
    return "token";
  });
  await pass(MINUTE);
  assert.deepEqual([kinds(), session.state], [["offline"], "online"]);
  await session.end();
  const [kept] = await client.offline.entries();
  assert.ok(kept?.kind === "end" && kept.playedMs === MINUTE);
});

test("await using ends a session, also after an error", async () => {
  const { client, sent } = scripted([started(), ended()]);
  const game = async () => {
    await using _session = await client.play("p");
    throw new Error("the game has crashed");
  };
  await assert.rejects(game(), /crashed/);
  assert.match(sent[1]?.url ?? "", /s1\/end$/);
});
