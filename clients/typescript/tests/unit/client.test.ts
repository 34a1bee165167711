import assert from "node:assert/strict";
import { test } from "node:test";
import { METHODS } from "../../src/generated/calls.js";
import { newId } from "../../src/ids.js";
import { sendingOf } from "../../src/requests.js";
import { answer, scripted } from "../scripted.js";

test("every operation of the API is a method of one of the client's groups", () => {
  const { client } = scripted([]);
  const found = new Set<string>(["home"]);
  assert.equal(typeof client.home, "function");
  for (const group of Object.values(client).filter((value) => typeof value === "object")) {
    for (let type = Object.getPrototypeOf(group); type !== Object.prototype; type = Object.getPrototypeOf(type)) {
      for (const name of Object.getOwnPropertyNames(type)) found.add(name);
    }
  }
  assert.ok(METHODS.length > 60);
  assert.deepEqual(
    METHODS.filter((name) => !found.has(name)),
    [],
  );
});

test("segments of a path are encoded", async () => {
  const { client, sent } = scripted([answer({ data: {} })]);
  await client.achievements.unlockAchievementByName("p", "a/b ü");
  assert.match(sent[0]?.url ?? "", /by-name\/p\/a%2Fb%20%C3%BC\/unlock$/);
});

test("a request has the headers of its client and of its call", () => {
  const defaults = {
    baseUrl: "http://a",
    language: "ru",
    clientId: "deck-7",
    clientVersion: undefined,
    timeoutSeconds: 1,
    retries: {},
  };
  const call = { method: "PUT", path: "/x", query: { device_id: undefined }, attributes: { a: 1 } };
  const sending = sendingOf(call, { language: "en", ifMatch: '"1"' }, defaults, () => "key");
  assert.equal(sending.url, "http://a/x");
  assert.equal(sending.body, '{"data":{"attributes":{"a":1}}}');
  assert.deepEqual(sending.headers, {
    Accept: "application/json",
    "Accept-Language": "en",
    "X-Client-Id": "deck-7",
    "If-Match": '"1"',
    "Content-Type": "application/json",
  });
});

test("ids are UUIDs of version 4, and differ", () => {
  const ids = Array.from({ length: 50 }, newId);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, 50);
});
