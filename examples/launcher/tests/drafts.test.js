import assert from "node:assert/strict";
import { test } from "node:test";
import { draftChoice, draftText, dropDraft } from "../src/drafts.js";

const choose = (field, value) => (field.onchange ?? field.oninput)({ target: { value } });

test("what was typed is there after a redraw, until it is sent", () => {
  const state = {};
  assert.equal(draftText(state, "name").value, "");
  choose(draftText(state, "name"), "Even");
  assert.equal(draftText(state, "name").value, "Even");
  assert.equal(draftText(state, "other").value, "");
  dropDraft(state, "name", "Ev");
  assert.equal(draftText(state, "name").value, "Even");
  dropDraft(state, "name", "Even");
  assert.equal(draftText(state, "name").value, "");
});

test("what was chosen is chosen after a redraw, as long as it can be", () => {
  const state = {};
  assert.equal(draftChoice(state, "whom", ["anna", "vera"]).value, "anna");
  choose(draftChoice(state, "whom", ["anna", "vera"]), "vera");
  assert.equal(draftChoice(state, "whom", ["boris", "vera"]).value, "vera");
  assert.equal(draftChoice(state, "whom", ["boris"]).value, "boris");
});
