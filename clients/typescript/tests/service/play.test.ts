import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { LibraryRefusal, type PlayNotice } from "../../src/index.js";
import { FileQueueStore } from "../../src/node.js";
import { answerAfter, FaultProxy, loseAnswer } from "./faults.js";
import { clientOf, createPlayer, type Player, SERVICE, until } from "./testbed.js";

let player: Player;
let proxy: FaultProxy;
let folder: string;

before(async () => {
  proxy = await FaultProxy.before(SERVICE);
  folder = await mkdtemp(join(tmpdir(), "queue-"));
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  player = await createPlayer();
});

const device = () =>
  clientOf(player, proxy.url, player.token, {
    deviceId: "deck",
    retries: { tries: 2 },
    queue: new FileQueueStore(join(folder, player.user)),
  });
const sessions = () => clientOf(player, SERVICE).playtime.listSessions().all();
const beats = () => proxy.seen.filter((one) => one.path.endsWith("/heartbeat")).length;

test("a session is at the service from its start to its end", async () => {
  const seen = beats();
  {
    await using session = await device().play(player.product, { heartbeatSeconds: 0.1 });
    assert.equal((await sessions())[0]?.id, session.sessionId);
    await until(() => (beats() >= seen + 2 ? true : undefined));
  }
  const [session, ...others] = await sessions();
  assert.deepEqual([session?.attributes.end_reason, others.length], ["completed", 0]);
});

test("a start and an end whose answers are lost are one session", async () => {
  proxy.next(/^POST .*start/, loseAnswer);
  proxy.next(/^POST .*end/, answerAfter(502));
  const client = device();
  const session = await client.play(player.product);
  assert.equal(session.state, "online");
  await session.end();
  assert.deepEqual(await client.offline.entries(), []);
  assert.equal((await sessions()).length, 1);
});

test("a session without the service is imported once, however often it is sent", async () => {
  const client = device();
  proxy.cut({ stays: true });
  const notices: PlayNotice[] = [];
  const session = await client.play(player.product, { onNotice: (notice) => notices.push(notice) });
  assert.deepEqual([session.state, notices], ["offline", [{ kind: "offline" }]]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await session.end();
  assert.ok((await client.offline.flush()).error);
  proxy.restore();
  const again = device(); // the program was started again, and crashes after it has sent the queue
  const [entry] = await again.offline.entries();
  assert.ok(entry?.kind === "session");
  await again.playtime.importSessions({ sessions: [entry.session] });
  const { results } = await again.offline.flush();
  assert.deepEqual(
    results.map((one) => one.result),
    ["duplicate"],
  );
  const found = await sessions();
  assert.deepEqual(
    found.map((one) => one.attributes.end_reason),
    ["imported"],
  );
  assert.ok((found[0]?.attributes.duration_seconds ?? 0) >= 1);
  assert.deepEqual(await again.offline.entries(), []);
});

test("an end without the service leaves no second out, and counts none twice", async () => {
  const client = device();
  const session = await client.play(player.product, { heartbeatSeconds: 0.2 });
  const seen = beats();
  await until(() => (beats() > seen ? true : undefined));
  proxy.cut({ stays: true });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await session.end();
  proxy.restore();
  assert.deepEqual(
    (await client.offline.entries()).map((one) => one.kind),
    ["end"],
  );
  // The service ends it after some seconds without a heartbeat.
  await until(async () => ((await sessions())[0]?.attributes.end_time ? true : undefined));
  await client.offline.flush();
  const found = await sessions();
  assert.deepEqual(found.map((one) => one.attributes.end_reason).sort(), ["imported", "timeout"]);
  const [rest, first] = ["imported", "timeout"].map((reason) =>
    found.find((one) => one.attributes.end_reason === reason),
  );
  assert.equal(rest?.attributes.start_time, first?.attributes.end_time);
});

test("a session that timed out while the network was gone continues as a new one", async () => {
  const client = device();
  const session = await client.play(player.product, { heartbeatSeconds: 0.5 });
  const first = session.sessionId;
  proxy.cut({ stays: true });
  await until(async () => ((await sessions())[0]?.attributes.end_time ? true : undefined));
  proxy.restore();
  await until(() => (session.sessionId !== first && session.state === "online" ? true : undefined));
  await session.end();
  await client.offline.flush();
  const reasons = (await sessions()).map((one) => one.attributes.end_reason).sort();
  assert.deepEqual(reasons, ["completed", "imported", "timeout"]);
});

test("a game that is killed without the network has lost none of what it noted", async () => {
  const queue = join(folder, player.user);
  const index = new URL("../../src/", import.meta.url);
  const game = `
    import { LibraryClient } from "${index}index.js";
    import { FileQueueStore } from "${index}node.js";
    const queue = new FileQueueStore(${JSON.stringify(queue)});
    const client = new LibraryClient("${proxy.url}", "${player.token}", { deviceId: "deck", queue });
    await client.play("${player.product}", { heartbeatSeconds: 0.2 });`;
  const seen = beats();
  const running = spawn(process.execPath, ["--input-type=module", "--eval", game], { stdio: "inherit" });
  await until(() => (beats() > seen ? true : undefined));
  proxy.cut({ stays: true });
  const client = device();
  await until(async () => {
    const [entry] = await client.offline.entries();
    return entry?.kind === "end" && entry.playedMs > 1_200 ? true : undefined;
  });
  running.kill("SIGKILL");
  proxy.restore();
  await until(async () => ((await sessions())[0]?.attributes.end_time ? true : undefined));
  assert.deepEqual((await client.offline.flush()).results, []); // it is held for the game, which might still run
  const [held] = await client.offline.entries();
  assert.ok(held?.kind === "end");
  await new FileQueueStore(queue).put({ ...held, heldUntil: 1 }); // some minutes later
  const { results } = await client.offline.flush();
  assert.deepEqual(
    results.map((one) => [one.entry.kind, one.result]),
    [["session", "accepted"]],
  );
  const [rest] = (await sessions()).filter((one) => one.attributes.end_reason === "imported");
  assert.ok((rest?.attributes.duration_seconds ?? 0) >= 1);
});

test("an outage that is shorter than the time-out leaves nothing in the queue", async () => {
  const client = device();
  const session = await client.play(player.product, { heartbeatSeconds: 0.2 });
  const first = session.sessionId;
  proxy.cut({ stays: true });
  await until(async () => ((await client.offline.entries()).length ? true : undefined));
  proxy.restore();
  await until(async () => ((await client.offline.entries()).length ? undefined : true));
  assert.equal(session.sessionId, first);
  await session.end();
  assert.deepEqual(
    (await sessions()).map((one) => one.attributes.end_reason),
    ["completed"],
  );
});

test("a game that is not owned is refused, and nothing of it waits", async () => {
  const client = device();
  await assert.rejects(
    client.play(crypto.randomUUID()),
    (error) => error instanceof LibraryRefusal && error.status === 403,
  );
  assert.deepEqual(await client.offline.entries(), []);
});

test("an unlock that the service does not take does not hold up the sessions", async () => {
  const client = device();
  await client.offline.addAchievement({ product_id: player.product, api_name: "UNKNOWN", unlocked: true });
  const start_time = new Date(Date.now() - 60_000).toISOString();
  await client.offline.addSession({
    client_session_id: "a",
    device_id: "deck",
    product_id: crypto.randomUUID(),
    start_time,
    end_time: new Date().toISOString(),
  });
  const { results, error } = await client.offline.flush();
  assert.equal(error, undefined);
  assert.deepEqual(
    results.map((one) => [one.entry.kind, one.result, one.code]),
    [
      ["session", "rejected", "PERMISSION_DENIED"],
      ["achievement", "rejected", "ACHIEVEMENT_NOT_FOUND"],
    ],
  );
  // Both stay for the player to see, also after a restart of the program.
  assert.deepEqual((await device().offline.entries()).map((one) => one.code).sort(), [
    "ACHIEVEMENT_NOT_FOUND",
    "PERMISSION_DENIED",
  ]);
  assert.deepEqual((await client.offline.flush()).results, []);
});
