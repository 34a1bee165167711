import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ForeignAnswer, LibraryRefusal, LibraryUnreachable } from "../../src/index.js";
import { answerAfter, answerBefore, cutBefore, cutEarly, cutInBody, FaultProxy, loseAnswer } from "./faults.js";
import { buy, clientOf, createPlayer, createToken, type Player, restart, SERVICE, until } from "./testbed.js";

let player: Player;
let proxy: FaultProxy;

before(async () => {
  player = await createPlayer();
  proxy = await FaultProxy.before(SERVICE);
});
after(() => proxy[Symbol.asyncDispose]());

const names = async () =>
  (await clientOf(player, SERVICE).library.listCategories().all()).map((one) => one.attributes.name);

test("what a connection loses, before or after the service, is made once", async () => {
  const client = clientOf(player, proxy.url);
  for (const [name, fault] of Object.entries({
    before: cutBefore,
    after: loseAnswer,
    body: cutInBody,
    "503 after": answerAfter(503, { "retry-after": "1" }),
    "502 after": answerAfter(502),
    "429 before": answerBefore(429, { "retry-after": "1" }),
  })) {
    proxy.next(/^POST .*categories/, fault);
    const made = await client.library.createCategory({ name });
    assert.equal(made.data.attributes.name, name);
    const isRepetition = !["before", "429 before"].includes(name);
    assert.equal(made.response.isReplayed, isRepetition, name);
    assert.equal((await names()).filter((one) => one === name).length, 1);
  }
});

test("an answer that is lost again and again is one change", async () => {
  proxy.next(/^POST .*categories/, loseAnswer, cutInBody, answerAfter(504));
  await clientOf(player, proxy.url).library.createCategory({ name: "thrice" });
  assert.equal((await names()).filter((name) => name === "thrice").length, 1);
});

test("a try that arrives while the service works on the one before is the same change", async () => {
  proxy.next(/^POST .*categories/, cutEarly, cutEarly);
  const made = await clientOf(player, proxy.url).library.createCategory({ name: "twin" });
  assert.equal(made.data.attributes.name, "twin");
  assert.equal((await names()).filter((name) => name === "twin").length, 1);
});

test("a deletion whose answer is lost is done", async () => {
  const client = clientOf(player, proxy.url);
  const made = await client.library.createCategory({ name: "gone" });
  proxy.next(/^DELETE /, loseAnswer);
  await client.library.deleteCategory(made.data.id);
  assert.ok(!(await names()).includes("gone"));
});

test("an expired token is renewed once for all requests that need it", async () => {
  let renewals = 0;
  const client = clientOf(player, SERVICE, async (renew) => {
    renewals += renew ? 1 : 0;
    return createToken(player.user, renew ? 60 : -60);
  });
  await Promise.all(Array.from({ length: 10 }, () => client.library.listItems()));
  assert.equal(renewals, 1);
});

test("a token that the service refuses twice is the caller's error", async () => {
  const client = clientOf(player, SERVICE, () => createToken(player.user, -60 - Math.random()));
  await assert.rejects(
    Promise.resolve(client.library.listItems()),
    (error) => error instanceof LibraryRefusal && error.code === "UNAUTHENTICATED",
  );
});

test("a restart of the service in the middle of calls loses and repeats nothing", async () => {
  const client = clientOf(player, SERVICE, player.token, { retries: { tries: 200, firstPauseSeconds: 5 } });
  const wanted = Array.from({ length: 40 }, (_, index) => `restart ${index}`);
  const calls = wanted.map(async (name, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 10));
    return client.library.createCategory({ name });
  });
  await Promise.all([restart(), ...calls]);
  assert.deepEqual((await names()).filter((name) => name.startsWith("restart")).sort(), wanted.sort());
});

test("the page of a hotspot is no library, and the calls after it are as always", async () => {
  const client = clientOf(player, proxy.url);
  proxy.next(/^GET .*items/, answerBefore(200), answerBefore(302, { location: "http://127.0.0.1:1/" }));
  await assert.rejects(Promise.resolve(client.library.listItems()), ForeignAnswer);
  await assert.rejects(Promise.resolve(client.library.listItems()), ForeignAnswer);
  assert.equal((await client.library.listItems()).data.length, 1);
});

test("a service that cannot be reached is LibraryUnreachable", async () => {
  await using down = await FaultProxy.before("http://127.0.0.1:1");
  await assert.rejects(Promise.resolve(clientOf(player, down.url).library.listItems()), LibraryUnreachable);
});

test("a refusal has the service's code, language and meta", async () => {
  const client = clientOf(player, SERVICE);
  const error = await client.library.claimItem({ product_id: player.product }).catch((caught: unknown) => caught);
  assert.ok(error instanceof LibraryRefusal);
  assert.ok(error.is("PRODUCT_ALREADY_OWNED") || error.status === 404, error.message);
  assert.ok(error.requestId);
  const invalid = await client.library
    .updateItem(player.product, { is_hidden: "yes" as never })
    .catch((caught: unknown) => caught);
  assert.ok(invalid instanceof LibraryRefusal);
  assert.equal(invalid.pointer, "/data/attributes/is_hidden");
});

test("pages are fetched one after the other, and each game comes once", async () => {
  const owner = await createPlayer();
  const products = Array.from({ length: 24 }, () => crypto.randomUUID());
  await buy(owner.user, products);
  const client = clientOf(owner, SERVICE);
  await until(async () => ((await client.library.listItems()).meta.total_items === 25 ? true : undefined));
  const items = await client.library.listItems({ limit: 10, sort_by: "added_at_desc" }).all();
  assert.deepEqual(items.map((item) => item.attributes.product_id).sort(), [...products, owner.product].sort());
});

test("a list that has not changed is not sent again", async () => {
  const client = clientOf(player, proxy.url);
  const first = await client.library.listItems();
  const again = await client.library.listItems();
  assert.ok(!first.response.isStored && again.response.isStored);
  assert.deepEqual(again, first);
  const [item] = again.data;
  await client.library.updateItem(item?.id ?? "", { is_hidden: true });
  assert.equal((await client.library.listItems()).data.length, 0);
  await client.library.updateItem(item?.id ?? "", { is_hidden: false });
});

test("a change that another device made first is refused with 412", async () => {
  const client = clientOf(player, SERVICE);
  const [item] = (await client.library.listItems()).data;
  const read = await client.library.getItem(item?.id ?? "");
  await client.library.updateItem(read.data.id, { installation_status: "installed" });
  const error = await client.library
    .updateItem(read.data.id, { is_hidden: true }, { ifMatch: read.response.etag })
    .catch((caught: unknown) => caught);
  assert.ok(error instanceof LibraryRefusal && error.is("PRECONDITION_FAILED"));
  assert.ok(error.meta.current);
});
