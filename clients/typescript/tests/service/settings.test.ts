import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { cutInBody, FaultProxy, loseAnswer } from "./faults.js";
import { clientOf, createPlayer, type Player, SERVICE } from "./testbed.js";

let player: Player;
let proxy: FaultProxy;

before(async () => {
  proxy = await FaultProxy.before(SERVICE);
});
after(() => proxy[Symbol.asyncDispose]());
beforeEach(async () => {
  player = await createPlayer();
});

const payload = async (query = {}) =>
  (await clientOf(player, SERVICE).settings.getSettings(player.product, query)).data.attributes.settings_payload;
const counted = (settings: Record<string, unknown>) => ({ ...settings, count: Number(settings["count"] ?? 0) + 1 });

test("changes of several devices at once are all kept", async () => {
  const devices = Array.from({ length: 4 }, () => clientOf(player, SERVICE));
  await Promise.all(devices.map((device) => device.settings.update(player.product, counted)));
  assert.deepEqual(await payload(), { count: 4 });
});

test("a change whose answer is lost is made once", async () => {
  const device = clientOf(player, proxy.url);
  await device.settings.update(player.product, counted);
  proxy.next(/^PUT .*settings/, loseAnswer, cutInBody);
  await device.settings.update(player.product, counted);
  assert.deepEqual(await payload(), { count: 2 });
});

test("a change of a device's overlay leaves the account's values where they are", async () => {
  const device = clientOf(player, SERVICE);
  await device.settings.update(player.product, () => ({ volume: 5, keys: { jump: "x", run: "y" } }));
  const overlay = { device_id: "deck" };
  const remap = (settings: Record<string, unknown>) => ({ ...settings, keys: { jump: "space" } });
  await device.settings.update(player.product, remap, overlay);
  await device.settings.update(player.product, (settings) => ({ ...settings, volume: 9 }), overlay);
  await device.settings.update(player.product, (settings) => ({ ...settings, fov: 90 }));
  assert.deepEqual(await payload(overlay), { volume: 9, fov: 90, keys: { jump: "space", run: "y" } });
  assert.deepEqual(await payload(), { volume: 5, fov: 90, keys: { jump: "x", run: "y" } });
});

test("settings that have not changed are not sent again", async () => {
  const device = clientOf(player, SERVICE);
  await device.settings.update(player.product, counted);
  await device.settings.getSettings(player.product);
  assert.ok((await device.settings.getSettings(player.product)).response.isStored);
});
