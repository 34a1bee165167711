import assert from "node:assert/strict";
import { test } from "node:test";
import { page, scripted } from "../scripted.js";

test("awaiting a collection answers one page, by one request", async () => {
  const { client, sent } = scripted([page(["a", "b"], true)]);
  const items = client.library.listItems({ search: "a,b &ё", status: ["installed", "error"] });
  assert.equal((await items).data.length, 2);
  assert.equal((await items).data.length, 2);
  assert.deepEqual(
    sent.map((one) => one.url),
    ["http://service.test/api/v1/library/items?search=a%2Cb%20%26%D1%91&status=installed,error"],
  );
});

test("nothing is requested before a collection is used", async () => {
  const { client, sent } = scripted([]);
  client.library.listItems();
  await Promise.resolve();
  assert.equal(sent.length, 0);
});

test("iteration fetches each page when it is needed", async () => {
  const { client, sent } = scripted([page(["a", "b"], true), page(["c"], false)]);
  const seen: string[] = [];
  for await (const item of client.library.listItems()) {
    seen.push(item.id);
    assert.equal(sent.length, item.id === "c" ? 2 : 1);
  }
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.match(sent[1]?.url ?? "", /\?page=2&limit=100$/);
});

test("an element that moved to the next page is given once", async () => {
  const { client } = scripted([page(["a", "b"], true), page(["b", "c"], false)]);
  assert.deepEqual(
    (await client.library.listItems().all()).map((item) => item.id),
    ["a", "b", "c"],
  );
});

test("a page without elements ends the iteration, whatever it links to", async () => {
  const { client, sent } = scripted([page(["a"], true), page([], true)]);
  assert.equal((await client.library.listItems().all()).length, 1);
  assert.equal(sent.length, 2);
});

test("an iteration that ends early requests nothing more", async () => {
  const { client, sent } = scripted([page(["a", "b"], true)]);
  for await (const item of client.library.listItems()) if (item.id === "b") break;
  assert.equal(sent.length, 1);
});
