import assert from "node:assert/strict";
import { test } from "node:test";
import { etagKey, MemoryEtagStore } from "../../src/http/etags.js";
import { userOf } from "../../src/http/tokens.js";
import { tokenOf } from "../scripted.js";

test("the store is bounded by number, and the oldest use makes room", () => {
  const store = new MemoryEtagStore(2);
  store.set("a", { etag: "1", body: "a" });
  store.set("b", { etag: "1", body: "b" });
  store.get("a");
  store.set("c", { etag: "1", body: "c" });
  assert.deepEqual(
    ["a", "b", "c"].map((key) => store.get(key)?.body),
    ["a", undefined, "c"],
  );
});

test("the store is bounded by size, and what is larger than it is not kept", () => {
  const store = new MemoryEtagStore(9, 10);
  store.set("a", { etag: "1", body: "x".repeat(6) });
  store.set("b", { etag: "1", body: "x".repeat(6) });
  store.set("c", { etag: "1", body: "x".repeat(11) });
  assert.deepEqual(
    ["a", "b", "c"].map((key) => store.get(key)?.body.length),
    [undefined, 6, undefined],
  );
});

test("an answer that is replaced is counted once", () => {
  const store = new MemoryEtagStore(9, 10);
  for (let turn = 0; turn < 9; turn += 1) store.set("a", { etag: String(turn), body: "x".repeat(6) });
  assert.equal(store.get("a")?.etag, "8");
});

test("users and languages have keys of their own", () => {
  const keys = [
    etagKey("GET", "/items", "en", "anna"),
    etagKey("GET", "/items", "ru", "anna"),
    etagKey("GET", "/items", undefined, "anna"),
    etagKey("GET", "/items", "en", "boris"),
    etagKey("GET", "/items?page=2", "en", "anna"),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test("the user of a token is its sub, and of anything else nobody", () => {
  assert.equal(userOf(tokenOf("анна")), "анна");
  for (const text of ["", "opaque", "a.b", "a.b.c", "..", `a.${Buffer.from("5").toString("base64url")}.c`]) {
    assert.equal(userOf(text), undefined, text);
  }
});
