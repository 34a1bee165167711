import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { LibraryRefusal, type LiveMessage, type LiveUpdates } from "../../src/index.js";
import { FaultProxy } from "./faults.js";
import { buy, clientOf, createPlayer, createToken, type Player, restart, SERVICE, until } from "./testbed.js";

let player: Player;
let proxy: FaultProxy;

before(async () => {
  proxy = await FaultProxy.before(SERVICE);
});
after(() => proxy[Symbol.asyncDispose]());
beforeEach(async () => {
  player = await createPlayer();
});

const connections = () => proxy.seen.filter((one) => one.method === "WS").length;

/** Reads updates until one fulfils the condition. */
async function readUntil(live: LiveUpdates, condition: (message: LiveMessage) => boolean): Promise<LiveMessage[]> {
  const messages: LiveMessage[] = [];
  for await (const message of live) {
    messages.push(message);
    if (condition(message)) break;
  }
  return messages;
}

const named = (name: string) => (message: LiveMessage) =>
  message.event_type === "library.category.updated" && message.payload.name === name;

test("a change arrives with its type and the client that made it", async () => {
  const client = clientOf(player, SERVICE, player.token, { clientId: "deck-7" });
  const { cursor } = (await client.events.listEvents()).meta;
  await client.library.createCategory({ name: "Puzzles" });
  const [message] = await readUntil(client.live({ cursor }), named("Puzzles"));
  assert.ok(message?.event_type === "library.category.updated");
  assert.equal(message.origin, "deck-7");
});

test("cut connections lose no message and repeat none", async () => {
  const client = clientOf(player, proxy.url);
  const writer = clientOf(player, SERVICE);
  const { cursor } = (await client.events.listEvents()).meta;
  const live = client.live({ cursor });
  const reading = readUntil(live, named("29"));
  for (let index = 0; index < 30; index += 1) {
    await writer.library.createCategory({ name: String(index) });
    if (index % 5 === 4 && index < 29) proxy.cut();
  }
  const messages = await reading;
  const names = messages.flatMap((one) => (one.event_type === "library.category.updated" ? [one.payload.name] : []));
  assert.deepEqual(
    names,
    Array.from({ length: 30 }, (_, index) => String(index)),
  );
  assert.equal(new Set(messages.map((one) => one.id)).size, messages.length);
  assert.ok(connections() > 1);
});

test("a connection with nothing to say is kept from being closed", async () => {
  // supabase/realtime-js#121: a proxy closes a connection on which nothing was said for 60 to 90 seconds.
  const client = clientOf(player, proxy.url);
  const { cursor } = (await client.events.listEvents()).meta;
  const [opened, received] = [connections(), proxy.received];
  const reading = readUntil(client.live({ cursor, pingSeconds: 0.1 }), named("late"));
  await until(() => proxy.received >= received + 3 || undefined);
  await clientOf(player, SERVICE).library.createCategory({ name: "late" });
  assert.equal((await reading).length, 1);
  assert.equal(connections(), opened + 1);
});

test("a connection that was closed comes back although its token has expired", async () => {
  // The same report: what came back with the token of before was refused, and stayed silent for ever.
  const tokens = [await createToken(player.user, 600), await createToken(player.user, 700)];
  const [first = ""] = tokens;
  const client = clientOf(player, proxy.url, () => tokens.shift() ?? "");
  const writer = clientOf(player, SERVICE);
  const reading = readUntil(client.live({ cursor: "0" }), named("after"));
  const opened = connections();
  await until(() => connections() > opened || undefined);
  await writer.library.createCategory({ name: "before" });
  proxy.replaced = [first, await createToken(player.user, -60)];
  proxy.cut();
  await writer.library.createCategory({ name: "after" });
  const names = (await reading).flatMap((one) =>
    one.event_type === "library.category.updated" ? [one.payload.name] : [],
  );
  proxy.replaced = undefined;
  assert.deepEqual([names, tokens], [["before", "after"], []]);
});

test("a restart of the service is survived", async () => {
  const client = clientOf(player, SERVICE);
  const { cursor } = (await client.events.listEvents()).meta;
  const live = client.live({ cursor, connectSeconds: 2 });
  const reading = readUntil(live, named("after"));
  await client.library.createCategory({ name: "before" });
  await restart();
  await client.library.createCategory({ name: "after" });
  const names = (await reading).map((one) => one.event_type);
  assert.deepEqual(names, ["library.category.updated", "library.category.updated"]);
});

test("an expired token is renewed, and one that is refused twice ends the updates", async () => {
  let renewals = 0;
  const client = clientOf(player, SERVICE, (renew) => {
    renewals += renew ? 1 : 0;
    return createToken(player.user, renew ? 60 : -60);
  });
  const reading = readUntil(client.live({ cursor: "0" }), (message) => message.event_type !== "unknown");
  assert.equal((await reading).length, 1);
  assert.equal(renewals, 1);
  const refused = clientOf(player, SERVICE, () => createToken(player.user, -60 - Math.random() * 100));
  await assert.rejects(
    readUntil(refused.live(), () => true),
    LibraryRefusal,
  );
});

test("a reader that is slower than the messages gets all of them", async () => {
  const products = Array.from({ length: 20 }, () => crypto.randomUUID());
  const client = clientOf(player, proxy.url);
  const { cursor } = (await client.events.listEvents()).meta;
  for (const product of products) await buy(player.user, [product]);
  const before = connections();
  const wanted = new Set<string>(products);
  const live = client.live({ cursor, maxBuffered: 4 });
  for await (const message of live) {
    if (message.event_type === "library.item.added") assert.ok(wanted.delete(message.payload.product_id));
    if (wanted.size === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(connections() > before);
});

test("a cursor that is too far on is answered with resync.required", async () => {
  const client = clientOf(player, SERVICE);
  const live = client.live({ cursor: "999999999" });
  const [message] = await readUntil(live, () => true);
  assert.equal(message?.event_type, "resync.required");
  assert.notEqual(live.cursor, "999999999");
});
