import assert from "node:assert/strict";
import { test } from "node:test";
import { METHODS } from "../../src/generated/calls.js";
import { newId } from "../../src/ids.js";
import { LibraryClient } from "../../src/index.js";
import { baseUrlOf, cursorOf } from "../../src/inputs.js";
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

test("an address of something else is an error at once", () => {
  const wrong = [
    "",
    "library.example/api",
    "localhost:8084/api",
    "ftp://library.example",
    "http://[::",
    "/api/v1/library",
  ];
  for (const address of [...wrong, "https://library.example/?a=1", "https://library.example/#a"]) {
    assert.throws(() => new LibraryClient(address, "token"), /no address/, address);
  }
  const secret = () => new LibraryClient("https://anna:secret@library.example", "token");
  assert.throws(secret, (error) => error instanceof TypeError && !error.message.includes("secret"));
});

test("an address is that of the service, with or without the path of the API", () => {
  for (const address of [
    "https://a.example",
    "https://a.example/",
    "https://A.example/api/v1/library/",
    " https://a.example",
  ])
    assert.equal(baseUrlOf(address), "https://a.example", address);
  assert.equal(baseUrlOf("http://a.example:8084/games/api/v1/library"), "http://a.example:8084/games");
});

test("a page may name its own host by the path alone", () => {
  Object.assign(globalThis, { location: { href: "https://play.example/launcher/index.html" } });
  try {
    assert.equal(baseUrlOf("/api/v1/library"), "https://play.example");
    assert.throws(() => baseUrlOf("library.example/api"), TypeError);
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});

test("a token that can't be sent is an error at once, and is in no message", () => {
  for (const token of ["", "token\n", "to ken", "ключ"]) {
    const create = () => new LibraryClient("http://service.test", token);
    assert.throws(create, (error) => error instanceof TypeError && /the token is/.test(error.message));
    assert.throws(create, (error) => !token || !String(error).includes(token));
  }
});

test("a header that can't be sent is an error at once, and is no network that has failed", async () => {
  for (const name of ["clientId", "clientVersion", "language"]) {
    for (const value of ["Дом", "a\nb"]) {
      const options = { [name]: value };
      assert.throws(() => new LibraryClient("http://service.test", "token", options), /printable ASCII/, name);
    }
  }
  const { client, sent, pauses } = scripted([]);
  await assert.rejects(client.library.createCategory({ name: "RPG" }, { idempotencyKey: "ключ" }), /Idempotency-Key/);
  await assert.rejects(client.family.listSeats({ requestId: "a\r\nb" }), /X-Request-ID/);
  assert.deepEqual([sent, pauses], [[], []]);
});

test("a cursor is the id of a message, or none", () => {
  assert.deepEqual([cursorOf("7"), cursorOf(undefined), cursorOf(null)], ["7", undefined, undefined]);
  const { client } = scripted([], "token", { webSocket: class {} as never });
  for (const cursor of ["", "abc", "7&x=1", "-1"]) assert.throws(() => client.live({ cursor }), /is no cursor/, cursor);
});
