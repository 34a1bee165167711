import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LibraryRefusal, MemoryQueueStore, type QueueStore, WebQueueStore } from "../../src/index.js";
import { FileQueueStore } from "../../src/node.js";
import { batchesOf, halvesOf, restOf } from "../../src/offline/entries.js";
import { answer, refusal, type Sent, scripted, tokenOf } from "../scripted.js";

const session = (id: string, minute = 0) => ({
  client_session_id: id,
  product_id: "p",
  device_id: "deck",
  start_time: new Date(minute * 60_000).toISOString(),
  end_time: new Date((minute + 1) * 60_000).toISOString(),
});

/** Accepts what it is sent, element by element. */
const accepting = (sent: Sent) => {
  const { sessions, achievements } = JSON.parse(sent.body ?? "").data.attributes;
  const results = (sessions ?? achievements).map(() => ({ attributes: { result: "accepted", code: null } }));
  return answer({ data: results });
};

class TestStorage implements Storage {
  readonly #items = new Map<string, string>();
  get length() {
    return this.#items.size;
  }
  clear = () => this.#items.clear();
  getItem = (key: string) => this.#items.get(key) ?? null;
  key = (index: number) => [...this.#items.keys()][index] ?? null;
  removeItem = (key: string) => void this.#items.delete(key);
  setItem = (key: string, value: string) => void this.#items.set(key, value);
}

async function storeHolds(store: QueueStore) {
  const entry = { kind: "session", id: "session-deck-a/b", session: session("a/b"), heldUntil: 0 } as const;
  assert.deepEqual(await store.load(), []);
  await store.put({ ...entry, heldUntil: 5 });
  await store.put(entry);
  await store.put({ ...entry, id: "other" });
  assert.deepEqual(
    (await store.load()).sort((one, other) => (one.id < other.id ? 1 : -1)),
    [entry, { ...entry, id: "other" }],
  );
  await store.remove(["other", "gone"]);
  assert.deepEqual(await store.load(), [entry]);
}

test("a store in memory holds entries", () => storeHolds(new MemoryQueueStore()));

test("a store in localStorage holds entries beside what others keep there", async () => {
  const storage = new TestStorage();
  storage.setItem("theme", "dark");
  storage.setItem("gameshelf.queue.damaged", "{");
  await storeHolds(new WebQueueStore(storage));
  assert.equal(storage.getItem("theme"), "dark");
});

test("a record that is JSON and no whole entry does not hold up the others", async () => {
  // LanternOps/breeze#4252: one that lacked a field threw, each time, before anything was sent.
  const storage = new TestStorage();
  const parts = [{ kind: "session" }, { kind: "session", session: {}, heldUntil: 0 }, { kind: "achievement" }];
  const others = [{ kind: "end" }, { kind: "achievement", achievement: { happened_at: "soon" } }, { kind: "later" }];
  for (const [index, one] of [...parts, ...others].entries()) {
    storage.setItem(`gameshelf.queue.${index}`, JSON.stringify({ id: String(index), ...one }));
  }
  const { client } = scripted([accepting], "token", { queue: new WebQueueStore(storage) });
  await client.offline.addAchievement({ product_id: "p", api_name: "FIRST", unlocked: true });
  const { results, error } = await client.offline.flush();
  assert.deepEqual([results.map((one) => one.result), error, storage.length], [["accepted"], undefined, 6]);
});

test("a store on disk holds entries, and skips files that are damaged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "queue-"));
  try {
    await writeFile(join(folder, "damaged.json"), '{"kind": "session", "id"');
    await mkdir(join(folder, "unreadable.json"));
    await storeHolds(new FileQueueStore(join(folder)));
    assert.deepEqual(await new FileQueueStore(join(folder, "missing")).load(), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("processes that write the same entry at the same time do not disturb each other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "queue-"));
  try {
    const stores = Array.from({ length: 8 }, () => new FileQueueStore(folder));
    const entry = { kind: "session", id: "session-deck-a", session: session("a"), heldUntil: 0 } as const;
    await Promise.all(stores.map((store, heldUntil) => store.put({ ...entry, heldUntil })));
    assert.deepEqual(
      (await stores[0]?.load())?.map((one) => one.id),
      [entry.id],
    );
    await writeFile(join(folder, "a.json.fresh.new"), "");
    await writeFile(join(folder, "a.json.old.new"), "");
    await utimes(join(folder, "a.json.old.new"), 1, 1);
    await stores[0]?.load();
    assert.deepEqual((await readdir(folder)).sort(), ["a.json.fresh.new", "session-deck-a.json"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("ids and times that are undefined are made, so that no unlock replaces another one", async () => {
  const { client } = scripted([]);
  for (const api_name of ["FIRST", "SECOND"]) {
    const left = { client_id: undefined, happened_at: undefined } as object;
    await client.offline.addAchievement({ product_id: "p", api_name, unlocked: true, ...left });
  }
  const entries = await client.offline.entries();
  assert.equal(new Set(entries.map((one) => one.id)).size, 2);
  for (const one of entries) assert.ok(one.kind === "achievement" && one.achievement.happened_at);
});

test("entries are sent in batches of the service's limit, oldest first", async () => {
  const { client, sent } = scripted([accepting, accepting, accepting]);
  for (let index = 120; index > 0; index -= 1) await client.offline.addSession(session(`s${index}`, index));
  await client.offline.addAchievement({ product_id: "p", api_name: "FIRST", unlocked: true });
  const report = await client.offline.flush();
  const sizes = sent.map((one) => Object.values(JSON.parse(one.body ?? "").data.attributes as object)[0].length);
  assert.deepEqual(sizes, [100, 20, 1]);
  assert.equal(JSON.parse(sent[0]?.body ?? "").data.attributes.sessions[0].client_session_id, "s1");
  assert.deepEqual([report.results.length, report.error], [121, undefined]);
  assert.deepEqual(await client.offline.entries(), []);
});

test("an element that makes the service refuse all does not hold up the others", async () => {
  const picky = (sent: Sent) => (sent.body?.includes('"poison"') ? refusal(400, "VALIDATION_ERROR") : accepting(sent));
  const { client } = scripted(Array.from({ length: 20 }, () => picky));
  for (const id of ["a", "b", "poison", "c", "d"]) await client.offline.addSession(session(id));
  const { results } = await client.offline.flush();
  const rejected = results.filter((one) => one.result === "rejected");
  assert.deepEqual(
    rejected.map((one) => [one.entry.id, one.code]),
    [["session-deck-poison", "VALIDATION_ERROR"]],
  );
  const [kept, ...others] = await client.offline.entries();
  assert.deepEqual([results.length, kept?.id, others.length], [5, "session-deck-poison", 0]);
});

test("a wrong clock costs no time of play", async () => {
  // ably/docs#619: the clocks of devices are hours ahead, or start in the past without a battery.
  const [hour, now] = [3_600_000, Date.now()];
  const played = (at: number) => ({ ...session("s"), start_time: dateOf(at - 60_000), end_time: dateOf(at) });
  const dateOf = (at: number) => new Date(at).toISOString();
  for (const [device, server, moved] of [
    [now, now - 3 * hour, now - 3 * hour],
    [now, now + 9_000 * hour, now + 9_000 * hour],
  ] as const) {
    const refused = { attributes: { result: "rejected", code: "VALIDATION_ERROR" } };
    const script = [
      answer({ data: [refused] }, { headers: { Date: new Date(server).toUTCString() } }),
      answer({ data: [{ attributes: { result: "accepted", code: null } }] }),
    ];
    const { client, sent } = scripted(script);
    await client.offline.addSession(played(device));
    const { results } = await client.offline.flush();
    assert.deepEqual([results.map((one) => one.result), await client.offline.entries()], [["accepted"], []]);
    const [again] = JSON.parse(sent[1]?.body ?? "").data.attributes.sessions;
    assert.equal(again.client_session_id, "s");
    assert.equal(Date.parse(again.end_time) - Date.parse(again.start_time), 60_000);
    assert.ok(Math.abs(Date.parse(again.end_time) - moved) < 2_000);
  }
});

test("two evenings of a wrong clock that was set right meanwhile both count", async () => {
  const now = Date.now();
  const minute = Math.floor(now / 60_000);
  const refused = { attributes: { result: "rejected", code: "VALIDATION_ERROR" } };
  const date = { Date: new Date(now).toUTCString() };
  const { client, sent } = scripted([answer({ data: [refused, refused] }, { headers: date }), accepting]);
  await client.offline.addSession(session("a", minute + 180));
  await client.offline.addSession(session("b", minute + 300));
  const { results } = await client.offline.flush();
  assert.deepEqual(
    results.map((one) => one.result),
    ["accepted", "accepted"],
  );
  const [first, second] = JSON.parse(sent[1]?.body ?? "").data.attributes.sessions;
  assert.deepEqual([first.client_session_id, second.client_session_id], ["a", "b"]);
  assert.ok(Date.parse(first.end_time) <= Date.parse(second.start_time));
});

test("what the service fails at does not hold up the rest, and stays", async () => {
  // khushi897920-lang/hercycle-ai#308: one element that was always answered with 500 froze all that came after it.
  const failing = (sent: Sent) => (sent.method === "GET" ? refusal(500, "INTERNAL_ERROR") : accepting(sent));
  const script = () => Array.from({ length: 10 }, () => failing);
  const { client, left } = scripted(script(), "token", { retries: { tries: 1 } });
  const ended = { idempotencyKey: "k", product_id: "p", device_id: null, platform: null, playedMs: 5_000, endedAt: 1 };
  await client.offline.addEnd({ sessionId: "ill", ...ended });
  await client.offline.addSession(session("a"));
  await client.offline.addAchievement({ product_id: "p", api_name: "FIRST", unlocked: true });
  const { results, error } = await client.offline.flush();
  assert.deepEqual(
    results.map((one) => [one.entry.kind, one.result]),
    [
      ["session", "accepted"],
      ["achievement", "accepted"],
    ],
  );
  assert.ok(error instanceof LibraryRefusal && error.status === 500);
  assert.deepEqual(
    (await client.offline.entries()).map((one) => one.id),
    ["end-ill"],
  );
  // A service that fails at everything is left alone.
  for (const id of ["b", "c", "d"]) await client.offline.addEnd({ sessionId: id, ...ended });
  const before = left.length;
  assert.ok((await client.offline.flush()).error);
  assert.equal(before - left.length, 3);
});

test("each element has its own result, and a rejected one stays with its code until it is retried", async () => {
  const outcomes = [
    { attributes: { result: "duplicate", code: null } },
    { attributes: { result: "rejected", code: "PERMISSION_DENIED" } },
  ];
  const { client, sent } = scripted([answer({ data: outcomes }), accepting]);
  await client.offline.addSession(session("a", 1));
  await client.offline.addSession(session("b", 2));
  const { results } = await client.offline.flush();
  assert.deepEqual(
    results.map((one) => [one.result, one.code]),
    [
      ["duplicate", null],
      ["rejected", "PERMISSION_DENIED"],
    ],
  );
  const [refused] = await client.offline.entries();
  assert.deepEqual([refused?.id, refused?.code], ["session-deck-b", "PERMISSION_DENIED"]);
  assert.deepEqual([(await client.offline.flush()).results, sent.length], [[], 1]);
  await client.offline.retry("session-deck-b", "gone");
  assert.equal((await client.offline.flush()).results[0]?.result, "accepted");
  assert.deepEqual(await client.offline.entries(), []);
});

test("a refused element is discarded by its id, and an end that is refused stays as well", async () => {
  const { client } = scripted([
    refusal(404, "SESSION_NOT_FOUND"),
    answer({ data: [{ attributes: { result: "rejected" } }] }),
  ]);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0 });
  await client.offline.addAchievement({ product_id: "p", api_name: "FIRST", client_id: "c", unlocked: true });
  await client.offline.flush();
  const codes = Object.fromEntries((await client.offline.entries()).map((one) => [one.id, one.code]));
  assert.deepEqual(codes, { "end-s1": "SESSION_NOT_FOUND", "achievement-c": "UNKNOWN" });
  await client.offline.discard("end-s1", "achievement-c");
  assert.deepEqual(await client.offline.entries(), []);
});

test("what one player has played is not sent by another one, and waits for them", async () => {
  // Both players use one store, as in a program that is signed out and in again.
  const queue = new MemoryQueueStore();
  const anna = scripted([accepting], tokenOf("anna"), { queue });
  const vera = scripted([accepting], async () => tokenOf("vera"), { queue });
  await anna.client.offline.addSession(session("of-anna"));
  assert.deepEqual((await vera.client.offline.flush()).results, []);
  assert.deepEqual([vera.sent.length, await vera.client.offline.entries()], [0, []]);
  await vera.client.offline.addAchievement({ product_id: "p", api_name: "FIRST", unlocked: true });
  assert.equal((await vera.client.offline.flush()).results.length, 1);
  const { results } = await anna.client.offline.flush();
  assert.deepEqual(
    results.map((one) => [one.entry.id, one.result]),
    [["session-deck-of-anna", "accepted"]],
  );
});

test("a player whose token is not there yet is named by the program", async () => {
  const queue = new MemoryQueueStore();
  const away = () => Promise.reject(new TypeError("Failed to fetch"));
  const anna = scripted([], away, { queue, userId: "anna" });
  await anna.client.offline.addSession(session("of-anna"));
  const vera = scripted([], tokenOf("vera"), { queue });
  assert.deepEqual([(await vera.client.offline.flush()).results, vera.sent], [[], []]);
  const later = scripted([accepting], tokenOf("anna"), { queue });
  assert.equal((await later.client.offline.flush()).results[0]?.result, "accepted");
});

test("without a network, an answer or a token everything stays", async () => {
  for (const failure of [
    new Error("cut"),
    new Response("<html>"),
    refusal(401, "UNAUTHENTICATED"),
    answer({ data: [] }),
  ]) {
    const { client } = scripted([failure], "token", { retries: { tries: 1 } });
    await client.offline.addSession(session("a"));
    const { results, error } = await client.offline.flush();
    assert.deepEqual([results, (await client.offline.entries()).length, error?.isTemporary], [[], 1, true]);
  }
});

test("flushes at the same time are one", async () => {
  const { client, sent } = scripted([accepting]);
  await client.offline.addSession(session("a"));
  const reports = await Promise.all([client.offline.flush(), client.offline.flush(), client.offline.flush()]);
  assert.deepEqual([sent.length, reports.map(({ results }) => results.length)], [1, [1, 0, 0]]);
});

test("what is added during a flush is sent by the flush that is asked for then", async () => {
  let answerFirst = () => {};
  const slow = async (sent: Sent) => {
    await new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    return accepting(sent);
  };
  const { client, sent } = scripted([slow, accepting, accepting]);
  await client.offline.addSession(session("a"));
  const first = client.offline.flush();
  while (sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.offline.addSession(session("b"));
  const second = client.offline.flush();
  answerFirst();
  // Each result is reported once: what was refused is not said to the player again.
  assert.deepEqual([(await first).results.length, (await second).results.length], [1, 1]);
  assert.deepEqual([sent.length, await client.offline.entries()], [2, []]);
  // The next one is a run of its own again.
  await client.offline.addSession(session("c"));
  assert.equal((await client.offline.flush()).results.length, 1);
});

test("a session that may still grow is not sent", async () => {
  const { client, sent } = scripted([]);
  await client.offline.addSession(session("a"), Date.now() + 60_000);
  await client.offline.flush();
  assert.deepEqual([sent.length, (await client.offline.entries()).length], [0, 1]);
});

test("what a clock of another year holds is sent", async () => {
  // It ran a year ahead when a game crashed, and was set right since then.
  const { client } = scripted([known("2026-11-28T12:00:00Z", "completed"), accepting]);
  const year = 365 * 86_400_000;
  await client.offline.addSession(session("a"), Date.now() + year);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0, heldUntil: Date.now() + year });
  assert.equal((await client.offline.flush()).results.length, 2);
});

const END = { sessionId: "s1", idempotencyKey: "k", product_id: "p", device_id: "deck", platform: null };
const known = (end_time: string | null, end_reason: string | null) =>
  answer({ data: { id: "s1", attributes: { end_time, end_reason } } });

test("the rest of a session that timed out is imported from where it ended", async () => {
  const { client, sent } = scripted([known("2026-11-28T12:00:00Z", "timeout"), accepting]);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0 });
  await client.offline.flush();
  const [imported] = JSON.parse(sent[1]?.body ?? "").data.attributes.sessions;
  assert.deepEqual(
    [imported.client_session_id, imported.start_time, imported.end_time],
    ["s1:rest", "2026-11-28T12:00:00Z", "2026-11-28T12:01:30.000Z"],
  );
  assert.deepEqual(await client.offline.entries(), []);
});

test("the rest is imported under the same id after a crash", async () => {
  const { client, sent } = scripted(
    [known("2026-11-28T12:00:00Z", "timeout"), new Error("crash"), accepting],
    "token",
    {
      retries: { tries: 1 },
    },
  );
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0 });
  await client.offline.flush();
  await client.offline.flush();
  assert.equal(sent[1]?.body, sent[2]?.body);
});

test("an end that the service has, or that ends a session now, is done", async () => {
  const completed = scripted([known("2026-11-28T12:00:00Z", "completed")]);
  await completed.client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0 });
  assert.equal((await completed.client.offline.flush()).results[0]?.result, "accepted");
  const running = scripted([known(null, null), known("2026-11-28T12:00:00Z", "completed")]);
  await running.client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: Date.now() });
  assert.equal((await running.client.offline.flush()).results[0]?.result, "accepted");
  assert.equal(running.sent[1]?.headers["Idempotency-Key"], "k");
});

test("an end that may still grow is not sent, and one whose game has crashed waits for the time-out", async () => {
  const { client, sent } = scripted([known(null, null)]);
  const end = { ...END, playedMs: 90_000, endedAt: Date.now() };
  await client.offline.addEnd({ ...end, heldUntil: Date.now() + 60_000 });
  await client.offline.flush();
  assert.equal(sent.length, 0);
  await client.offline.addEnd({ ...end, heldUntil: 1 });
  await client.offline.flush();
  assert.deepEqual([sent.length, (await client.offline.entries()).length], [1, 1]);
});

test("an old end of a session that still runs waits for its time-out", async () => {
  const { client } = scripted([known(null, null)]);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: 0 });
  await client.offline.flush();
  assert.equal((await client.offline.entries()).length, 1);
});

test("an end of a clock that was set back since then waits for the time-out of its session", async () => {
  // Ended now, the session would be longer than it was.
  const { client, sent } = scripted([known(null, null)]);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: Date.now() + 3_600_000 });
  await client.offline.flush();
  assert.deepEqual([sent.length, (await client.offline.entries()).length], [1, 1]);
});

test("an end that finds a session timed out at the last moment sends its rest", async () => {
  const { client, sent } = scripted([known(null, null), known("2026-11-28T12:00:00Z", "timeout"), accepting]);
  await client.offline.addEnd({ ...END, playedMs: 90_000, endedAt: Date.now() });
  await client.offline.flush();
  const [imported] = JSON.parse(sent[2]?.body ?? "").data.attributes.sessions;
  assert.deepEqual([imported.start_time, imported.end_time], ["2026-11-28T12:00:00Z", "2026-11-28T12:01:30.000Z"]);
});

test("batches and halves have all elements, once", () => {
  assert.deepEqual(batchesOf([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(batchesOf([], 2), []);
  assert.deepEqual(halvesOf([1, 2, 3]), [[1, 2], [3]]);
});

test("less than a second is no rest", () => {
  assert.equal(restOf({ kind: "end", id: "e", ...END, playedMs: 999, endedAt: 0 }, "2026-11-28T12:00:00Z"), undefined);
});
