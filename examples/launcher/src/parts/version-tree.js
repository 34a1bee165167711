/** The history of a save, drawn as a tree beside its versions. */

import { deviceName } from "../devices.js";
import { h } from "../dom.js";
import { treeOf } from "../saves/tree.js";
import { badge } from "./card.js";

const ROW = 40;
const LANE = 22;
const MOST_ROWS = 12;

export function versionTree(app, versions, { name, here, restore }) {
  const { texts, format } = app;
  const newest = [...versions].sort((one, other) => other.attributes.version - one.attributes.version).slice(0, MOST_ROWS);
  const { rows, lines, laneCount } = treeOf(newest.map((one) => one.attributes));
  const width = laneCount * LANE;
  return h("div", { class: "tree" },
    h("svg", { width, height: rows.length * ROW, viewBox: `0 0 ${width} ${rows.length * ROW}`, "aria-hidden": "true" },
      lines.map((line) => h("path", { class: line.isMerge ? "line merge" : "line", d: curve(line) })),
      rows.map(({ version, lane }, index) => h("circle", { class: `knot ${version.status}`, cx: x(lane), cy: y(index), r: version.status === "head" ? 7 : 5 }))),
    h("ol", { class: "versions", reversed: true, "aria-label": texts.tree }, rows.map(({ version }) =>
      h("li", { "data-version": version.version },
        h("strong", {}, `v${version.version}`), badge(texts.versionStatus[version.status], version.status),
        version.merged_version ? badge(texts.merged, "info") : null,
        version.version === here ? badge(texts.onDevice, "good") : null,
        h("span", { class: "facts grow" }, `${deviceName(app, version.device_id)} · ${format.ago(version.server_uploaded_at)}`),
        version.status === "history" ? h("button", { class: "quiet", "data-key": `${name}-restore-${version.version}`, "aria-label": `${texts.restore} v${version.version}`, onclick: app.act(restore(version.version)) }, texts.restore) : null))));
}

const x = (lane) => lane * LANE + LANE / 2;
const y = (row) => row * ROW + ROW / 2;

/** From a version down to its parent: sideways first, then straight. */
function curve({ from, to }) {
  const [x1, y1, x2, y2] = [x(from.lane), y(from.row), x(to.lane), y(to.row)];
  return x1 === x2 ? `M${x1} ${y1}V${y2}` : `M${x1} ${y1}C${x1} ${y1 + ROW} ${x2} ${y2 - ROW} ${x2} ${y2}`;
}
