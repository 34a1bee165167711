import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameJson, layerOf } from "../../src/settings/layers.js";
import { answer, refusal, type Sent, scripted } from "../scripted.js";

const read = (settings_payload: object, etag: string, layer = "account") => {
  const settings_layers = Object.fromEntries(Object.keys(settings_payload).map((key) => [key, layer]));
  return answer({ data: { attributes: { settings_payload, settings_layers } } }, { headers: { ETag: etag } });
};
const written = (sent: Sent) => JSON.parse(sent.body ?? "").data.attributes.settings_payload;
const louder = (payload: Record<string, unknown>) => ({ ...payload, volume: Number(payload["volume"] ?? 0) + 1 });

test("a change is applied to the state that it was read from", async () => {
  const { client, sent } = scripted([read({ volume: 4 }, '"a1"'), read({ volume: 5 }, '"a2"')]);
  const settings = await client.settings.update("p", louder);
  assert.deepEqual(settings?.data.attributes.settings_payload, { volume: 5 });
  assert.equal(sent[1]?.headers["If-Match"], '"a1"');
});

test("what another device wrote meanwhile is kept, and the change applied to it", async () => {
  const script = [
    read({ volume: 4 }, '"a1"'),
    refusal(412, "PRECONDITION_FAILED"),
    read({ volume: 7, fov: 90 }, '"a2"'),
  ];
  const { client, sent } = scripted([...script, read({ volume: 8, fov: 90 }, '"a3"')]);
  await client.settings.update("p", louder);
  assert.deepEqual(written(sent[3] as Sent), { volume: 8, fov: 90 });
});

test("a write whose answer was lost is not made twice", async () => {
  const script = [read({ volume: 4 }, '"a1"'), new Error("cut"), refusal(412, "PRECONDITION_FAILED")];
  const { client, sent } = scripted([...script, read({ volume: 5 }, '"a2"')]);
  const settings = await client.settings.update("p", louder);
  assert.deepEqual(settings?.data.attributes.settings_payload, { volume: 5 });
  assert.equal(sent.filter((one) => one.method === "PUT").length, 2);
});

test("the first settings of a game are written if there are still none", async () => {
  const { client, sent } = scripted([refusal(404, "SETTINGS_NOT_FOUND"), read({ volume: 1 }, '"a1"')]);
  await client.settings.update("p", louder);
  assert.equal(sent[1]?.headers["If-None-Match"], "*");
});

test("a change of nothing writes nothing", async () => {
  const { client, sent } = scripted([read({ volume: 4 }, '"a1"')]);
  await client.settings.update("p", () => undefined);
  assert.equal(sent.length, 1);
});

test("an overlay is written without the values of the account", async () => {
  const both = { settings_payload: { volume: 4, fov: 90 }, settings_layers: { volume: "account", fov: "device" } };
  const { client, sent } = scripted([
    answer({ data: { attributes: both } }, { headers: { ETag: '"a1.d1"' } }),
    read({ fov: 80 }, '"a1.d2"'),
  ]);
  await client.settings.update("p", (payload) => ({ ...payload, fov: 80 }), { device_id: "deck" });
  assert.deepEqual(written(sent[1] as Sent), { fov: 80 });
  assert.match(sent[1]?.url ?? "", /\?device_id=deck$/);
});

test("a device without an id changes the account's settings, and wipes none of them", async () => {
  for (const layer of [{ device_id: undefined }, { platform: undefined }, { device_id: null as never }, {}]) {
    const { client, sent } = scripted([read({ volume: 4, fov: 90 }, '"a1"'), read({ volume: 5, fov: 90 }, '"a2"')]);
    await client.settings.update("p", louder, layer);
    assert.deepEqual(written(sent[1] as Sent), { volume: 5, fov: 90 });
  }
});

test("devices that never let a change through end it after some turns", async () => {
  const turn = () => [read({ volume: 4 }, '"a1"'), refusal(412, "PRECONDITION_FAILED")];
  const { client, left } = scripted(Array.from({ length: 10 }, turn).flat());
  await assert.rejects(client.settings.update("p", louder), /PRECONDITION_FAILED/);
  assert.equal(left.length, 0);
});

test("the values of a layer are found at any depth", () => {
  const payload = { volume: 1, keys: { jump: "x", run: "y" }, video: { hdr: true }, list: [1] };
  const layers = { volume: "account", keys: { jump: "device", run: "account" }, video: "device", list: "device" };
  assert.deepEqual(layerOf(payload, layers, "device"), { keys: { jump: "x" }, video: { hdr: true }, list: [1] });
  assert.deepEqual(layerOf(payload, layers, "account"), { volume: 1, keys: { run: "y" } });
});

test("JSON is the same in any order of its keys", () => {
  assert.ok(isSameJson({ a: [1, { b: null }], c: "x" }, { c: "x", a: [1, { b: null }] }));
  for (const [one, other] of [
    [{ a: 1 }, { a: 2 }],
    [{ a: undefined }, {}],
    [[1], { 0: 1 }],
    [null, {}],
    [[1, 2], [1]],
  ]) {
    assert.ok(!isSameJson(one, other), JSON.stringify([one, other]));
  }
});
