import assert from "node:assert/strict";
import { test } from "node:test";
import { Busy } from "../src/busy.js";

/** What a redraw makes: other elements with the same keys. */
function drawn(...keys) {
  const elements = keys.map((key) => {
    const attributes = {};
    return {
      dataset: { key },
      attributes,
      setAttribute: (name, value) => Object.assign(attributes, { [name]: value }),
      removeAttribute: (name) => delete attributes[name],
    };
  });
  return { querySelectorAll: () => elements, busy: () => elements.filter((one) => one.attributes["aria-busy"] === "true").map((one) => one.dataset.key) };
}

test("a button is at work as long as its work takes, whatever is drawn meanwhile", async () => {
  const [busy, root] = [new Busy(), drawn("buy", "save")];
  let finish;
  const work = new Promise((resolve) => {
    finish = resolve;
  });
  const done = busy.during("buy", root, () => work);
  assert.deepEqual([root.busy(), busy.has("buy"), busy.has("save"), busy.has(undefined)], [["buy"], true, false, false]);
  const again = drawn("save", "buy");
  busy.mark(again);
  assert.deepEqual(again.busy(), ["buy"]);
  finish();
  await done;
  busy.mark(again);
  assert.deepEqual([again.busy(), busy.has("buy")], [[], false]);
});

test("a failure ends it as well", async () => {
  const [busy, root] = [new Busy(), drawn("buy")];
  await assert.rejects(busy.during("buy", root, () => Promise.reject(new Error("no"))), /no/);
  assert.deepEqual([root.busy(), busy.has("buy")], [[], false]);
});
