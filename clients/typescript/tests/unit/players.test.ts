/** A player signs out, and another one in, in a program that keeps its client. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryQueueStore, TokenUnavailable } from "../../src/index.js";
import { ended, MINUTE, playing, started } from "../playing.js";
import { answer, refusal, type Scripted, scripted, tokenOf } from "../scripted.js";

const EXPIRED = () => refusal(401, "UNAUTHENTICATED");
const UNKNOWN = () => refusal(404, "SESSION_NOT_FOUND");
const CUT = new Error("cut");
/** Anna's token, and after it has expired vera's. */
const annaThenVera = (renew: boolean) => tokenOf(renew ? "vera" : "anna");

async function shared(script: Scripted[]) {
  const queue = new MemoryQueueStore();
  const game = await playing(script, annaThenVera, undefined, { queue });
  const kept = async () => {
    const found = (await queue.load()).map((one) => [one.user, one.kind, one.kind === "end" && one.playedMs]);
    return found.sort((one, other) => String(one[0]).localeCompare(String(other[0])));
  };
  return { ...game, kept };
}

test("what the service has missed of a session waits for the player who has played it", async () => {
  const { session, pass, kept, client, notices } = await shared([started(), CUT, EXPIRED(), UNKNOWN()]);
  await pass(MINUTE);
  await pass(MINUTE);
  assert.deepEqual(await kept(), [["anna", "end", 2 * MINUTE]]);
  assert.deepEqual(await client.offline.entries(), []);
  assert.deepEqual([session.state, notices.at(-1)], ["over", { kind: "over", reason: "SESSION_NOT_FOUND" }]);
});

test("an end that is answered for another player is kept", async () => {
  const { session, clock, kept } = await shared([started(), EXPIRED(), UNKNOWN()]);
  clock.ms += MINUTE;
  await session.end();
  assert.deepEqual(await kept(), [["anna", "end", MINUTE]]);
});

test("what was played without the network is not the next player's, whose own session follows", async () => {
  const { session, pass, kept } = await shared([CUT, CUT, EXPIRED(), started("s2"), CUT, CUT, CUT]);
  await pass(MINUTE);
  await pass(MINUTE);
  assert.deepEqual(await kept(), [
    ["anna", "session", false],
    ["vera", "end", MINUTE],
  ]);
  await session.end();
});

test("what is noted before anybody is known is theirs who are known first", async () => {
  let user = "";
  const queue = new MemoryQueueStore();
  const token = () => (user ? tokenOf(user) : Promise.reject(new TypeError("Failed to fetch")));
  const { session, pass } = await playing([started("s2"), ended()], token, undefined, { queue });
  await pass(MINUTE);
  assert.equal((await queue.load())[0]?.user, undefined);
  user = "anna";
  await pass(MINUTE);
  assert.equal((await queue.load())[0]?.user, "anna");
  await session.end();
});

test("nothing of a player is sent with the token of another one who signs in meanwhile", async () => {
  const queue = new MemoryQueueStore();
  const { client, sent } = scripted([EXPIRED()], annaThenVera, { queue });
  const times = { start_time: "2026-11-28T12:00:00Z", end_time: "2026-11-28T12:30:00Z" };
  const said = { product_id: "p", device_id: "deck", platform: null };
  const end = { ...said, sessionId: "s1", idempotencyKey: "k", playedMs: MINUTE, endedAt: 0 };
  await client.offline.addSession({ ...said, ...times, client_session_id: "a" }, 0, "anna");
  await client.offline.addEnd({ ...end, user: "anna" });
  const { error, results } = await client.offline.flush();
  assert.ok(error instanceof TokenUnavailable, String(error));
  assert.deepEqual([results, sent.length], [[], 1]);
  assert.deepEqual(
    (await queue.load()).map((one) => [one.user, one.code]),
    [
      ["anna", undefined],
      ["anna", undefined],
    ],
  );
  assert.deepEqual(await client.offline.flush(), { results: [], error: undefined });
});

test("a new token of the same player sends what waits", async () => {
  const accepting = answer({ data: [{ attributes: { result: "accepted" } }] });
  const token = (renew: boolean) => tokenOf("anna", renew ? 2 : 1);
  const { client } = scripted([EXPIRED(), accepting], token);
  await client.offline.addAchievement({ product_id: "p", api_name: "FIRST", unlocked: true });
  assert.equal((await client.offline.flush()).results[0]?.result, "accepted");
});
