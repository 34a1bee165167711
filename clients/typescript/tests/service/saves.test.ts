import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type ClientOptions, type Fetch, LibraryClient, singleFile, type TokenProvider } from "../../src/index.js";
import { answerAfter, answerBefore, cutBefore, cutEarly, FaultProxy, loseAnswer, withToken } from "./faults.js";
import { createPlayer, createToken, HURRY, type Player, restart, SERVICE } from "./testbed.js";

let player: Player;
let service: FaultProxy;
let store: FaultProxy;

before(async () => {
  service = await FaultProxy.before(SERVICE);
  store = await FaultProxy.before(process.env["GAMESHELF_STORE"] ?? "");
});
after(async () => {
  await service[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});
beforeEach(async () => {
  player = await createPlayer();
});

/** The addresses of the store are signed, so the proxy is put in their place when they are fetched. */
const throughProxy: Fetch = (url, init) => {
  const { origin } = new URL(url);
  const isStore = origin === new URL(process.env["GAMESHELF_STORE"] ?? "").origin;
  return fetch(isStore ? url.replace(origin, store.url) : url, init);
};

const device = (deviceId: string, options: ClientOptions = {}, token: string | TokenProvider = player.token) =>
  new LibraryClient(service.url, token, { ...HURRY, deviceId, fetch: throughProxy, ...options });
const text = (value: string) => new TextEncoder().encode(value);
const slot = () => ({ product_id: player.product, save_slot_name: "world" });
const noise = (size: number) => {
  const bytes = new Uint8Array(size);
  for (let from = 0; from < size; from += 65_536) crypto.getRandomValues(bytes.subarray(from, from + 65_536));
  return bytes;
};
const sentToStore = () => store.seen.filter((one) => one.method === "PUT").length;

test("a single file is saved and downloaded", async () => {
  const progress: number[] = [];
  const saved = await device("pc").saves.upload(slot(), text("one"), {
    onProgress: ({ doneBytes }) => progress.push(doneBytes),
  });
  assert.deepEqual([saved.result, progress], ["head", [3]]);
  assert.ok(saved.save);
  const loaded = await device("deck").saves.download(saved.save.id);
  assert.deepEqual([loaded.version, new TextDecoder().decode(singleFile(loaded))], [1, "one"]);
  const again = await device("pc").saves.upload(slot(), text("one"));
  assert.equal(again.result, "identical");
});

test("a set is saved, and only what has changed is sent", async () => {
  const files = { "a.dat": text("a"), "мир/b.dat": new Blob(["b"]), "copy.dat": text("a") };
  const pc = device("pc");
  const saved = await pc.saves.uploadSet(slot(), files);
  assert.ok(saved.save);
  const sent = sentToStore();
  const next = await pc.saves.uploadSet(slot(), { ...files, "a.dat": text("A") });
  assert.deepEqual([next.result, sentToStore() - sent], ["head", 1]);
  const loaded = await device("deck").saves.download(saved.save.id);
  const found = Object.fromEntries(loaded.files.map((file) => [file.path, new TextDecoder().decode(file.bytes)]));
  assert.deepEqual(found, { "a.dat": "A", "мир/b.dat": "b", "copy.dat": "a" });
});

test("what breaks between client, service and store costs no version", async () => {
  const pc = device("pc");
  service.next(/^POST .*uploads$/, loseAnswer);
  service.next(/^POST .*commit$/, answerAfter(503, { "retry-after": "1" }));
  const expired = answerBefore(400, {}, "<Error><Code>ExpiredToken</Code></Error>");
  store.next(/^PUT /, cutBefore, loseAnswer, answerBefore(503), answerBefore(403), answerBefore(404), expired);
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}.dat`, text(`content ${index}`)]));
  const saved = await pc.saves.uploadSet(slot(), files);
  assert.equal(saved.result, "head");
  assert.ok(saved.save);
  assert.equal((await pc.saves.listVersions(saved.save.id).all()).length, 1);
  store.next(/^GET /, cutBefore, answerBefore(403), answerBefore(200, {}, "damaged on the way"), answerBefore(500));
  const loaded = await device("deck").saves.download(saved.save.id);
  assert.deepEqual(
    loaded.files.map((file) => new TextDecoder().decode(file.bytes)).sort(),
    Object.values(files)
      .map((one) => new TextDecoder().decode(one))
      .sort(),
  );
});

test("a large file goes in parts, and a broken one is sent again by itself", async () => {
  const large = noise(20 * 1024 * 1024);
  const sent = sentToStore();
  store.next(/^PUT /, cutBefore);
  const saved = await device("pc").saves.uploadSet(slot(), { "large.dat": large }, { parallel: 1 });
  assert.deepEqual([saved.result, sentToStore() - sent], ["head", 4]);
  assert.ok(saved.save);
  const loaded = await device("deck").saves.download(saved.save.id);
  assert.deepEqual(loaded.files[0]?.bytes, large);
});

/** The only version of the player's only save, as another device sees it. */
async function onlyVersion(): Promise<Record<string, Uint8Array | undefined>> {
  const { saves } = device("deck");
  const [save, ...others] = await saves.listSaves({ product_id: player.product }).all();
  assert.ok(save && others.length === 0);
  assert.deepEqual(
    (await saves.listVersions(save.id).all()).map((one) => one.attributes.version),
    [1],
  );
  const { files } = await saves.download(save.id);
  return Object.fromEntries(files.map((file) => [file.path, file.bytes]));
}

test("a 429, a 503 with the first answer lost and a try that overtakes another one make one version", async () => {
  const later = { "retry-after": "1" };
  service.next(/^POST .*uploads$/, answerBefore(429, later), answerAfter(503, later), loseAnswer, cutEarly);
  service.next(/^POST .*commit$/, answerBefore(429, later), answerAfter(503, later), loseAnswer, cutEarly);
  const content = text("one");
  const saved = await device("pc", { retries: { tries: 10 } }).saves.uploadSet(slot(), { "a.dat": content });
  assert.equal(saved.result, "head");
  assert.deepEqual(await onlyVersion(), { "a.dat": content });
});

test("a token that expires in the middle of an upload is renewed, and the upload continues", async () => {
  const asked: boolean[] = [];
  const pc = device("pc", {}, (renew) => {
    asked.push(renew);
    return renew ? createToken(player.user, 60) : player.token;
  });
  const expired = await createToken(player.user, -60);
  service.next(/^POST .*commit$/, withToken(expired));
  const saved = await pc.saves.uploadSet(slot(), { "a.dat": text("a"), "b.dat": text("b") });
  assert.equal(saved.result, "head");
  assert.deepEqual(asked, [false, true]);
  assert.deepEqual(await onlyVersion(), { "a.dat": text("a"), "b.dat": text("b") });
});

test("a slow network only takes longer, and what broke at its end is sent again", async () => {
  const large = noise(16 * 1024 * 1024);
  const sent = sentToStore();
  store.pauseMs = 20; // a part takes longer than all tries of a call may
  store.next(/^PUT /, loseAnswer);
  const pc = device("pc", { retries: { totalSeconds: 2 } });
  const saved = await pc.saves.uploadSet(slot(), { "large.dat": large }).finally(() => {
    store.pauseMs = 0;
  });
  assert.deepEqual([saved.result, sentToStore() - sent], ["head", 3]);
  assert.deepEqual(await onlyVersion(), { "large.dat": large });
});

test("a restart of the service in the middle of an upload costs nothing and makes one version", async () => {
  const large = noise(20 * 1024 * 1024);
  let restarted: Promise<object> | undefined;
  const onProgress = () => {
    restarted ??= restart();
  };
  const pc = device("pc", { retries: { tries: 500, firstPauseSeconds: 5 } });
  const saved = await pc.saves.uploadSet(slot(), { "large.dat": large }, { onProgress, parallel: 1 });
  await restarted;
  assert.equal(saved.result, "head");
  assert.deepEqual(await onlyVersion(), { "large.dat": large });
});

test("two devices that play from the same version make a conflict, which is a value", async () => {
  const [pc, deck] = [device("pc"), device("deck")];
  const first = await pc.saves.upload(slot(), text("one"));
  assert.ok(first.save);
  await deck.saves.reportSynced(first.save.id, { version: 1, device_id: "deck" });
  await pc.saves.upload(slot(), text("two of the pc"));
  const other = await deck.saves.upload(slot(), text("two of the deck"));
  assert.equal(other.result, "conflict");
  const [conflict] = await deck.saves.listConflicts({ product_id: player.product }).all();
  assert.equal(conflict?.id, other.meta.conflict_id);
  assert.equal(conflict?.attributes.branch.attributes.version, other.ownVersion);
  // What is played on from there is the same conflict.
  const next = await deck.saves.upload({ ...slot(), base_version: other.ownVersion ?? 0 }, text("three of the deck"));
  assert.deepEqual([next.result, next.meta.conflict_id], ["conflict", other.meta.conflict_id]);
  assert.notEqual(next.ownVersion, other.ownVersion);
});

test("files that a device has are not fetched again", async () => {
  const saved = await device("pc").saves.uploadSet(slot(), { "a.dat": text("a"), "b.dat": text("b") });
  assert.ok(saved.save);
  const all = await device("deck").saves.download(saved.save.id);
  const [have] = all.files;
  const gets = store.seen.filter((one) => one.method === "GET").length;
  const rest = await device("deck").saves.download(saved.save.id, { have: [have?.sha256 ?? ""] });
  assert.equal(store.seen.filter((one) => one.method === "GET").length, gets + 1);
  assert.deepEqual(
    rest.files.map((file) => file.bytes !== undefined),
    [false, true],
  );
});

test("a cancelled upload rejects with the reason, and can be made again", async () => {
  const controller = new AbortController();
  const options = { signal: controller.signal, parallel: 1, onProgress: () => controller.abort(new Error("enough")) };
  const files = { "a.dat": text("a"), "b.dat": text("b"), "c.dat": text("c") };
  await assert.rejects(device("pc").saves.uploadSet(slot(), files, options), /enough/);
  const sent = sentToStore();
  assert.equal((await device("pc").saves.uploadSet(slot(), files)).result, "head");
  assert.equal(sentToStore() - sent, 2);
});
