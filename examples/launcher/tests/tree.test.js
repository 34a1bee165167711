import assert from "node:assert/strict";
import { test } from "node:test";
import { treeOf } from "../src/saves/tree.js";

const version = (number, parent, status = "history", merged = null) => ({
  version: number,
  parent_version: parent,
  merged_version: merged,
  status,
});

test("a history without branches is one line", () => {
  const tree = treeOf([version(2, 1, "head"), version(1, 0)]);
  assert.equal(tree.laneCount, 1);
  assert.deepEqual(tree.rows.map(({ lane }) => lane), [0, 0]);
  assert.deepEqual(tree.lines, [{ from: { row: 0, lane: 0 }, to: { row: 1, lane: 0 }, isMerge: false }]);
});

test("the head's ancestors are in the first lane, whatever is newer", () => {
  const tree = treeOf([version(1, 0), version(2, 1, "head"), version(3, 1, "branch")]);
  assert.deepEqual(tree.rows.map((row) => [row.version.version, row.lane]), [[3, 1], [2, 0], [1, 0]]);
  assert.equal(tree.laneCount, 2);
});

test("a merge has a line to both of its sides", () => {
  const tree = treeOf([version(4, 2, "head", 3), version(3, 1), version(2, 1), version(1, 0)]);
  const [first, second] = tree.lines;
  assert.deepEqual([first.to, first.isMerge], [{ row: 2, lane: 0 }, false]);
  assert.deepEqual([second.to, second.isMerge], [{ row: 1, lane: 1 }, true]);
});

test("a parent that is not shown has no line, and nothing is an empty tree", () => {
  assert.deepEqual(treeOf([version(9, 8, "head")]).lines, []);
  assert.deepEqual(treeOf([]), { laneCount: 1, rows: [], lines: [] });
});
