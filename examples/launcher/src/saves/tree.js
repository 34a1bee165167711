/** The versions of a save as a tree that can be drawn. Plain values, no I/O. */

/**
 * A row for each version, the newest first, with the lane that it is drawn in and the lines to its parents. The head and
 * its ancestors are in lane 0, so that the history of the save is one straight line.
 */
export function treeOf(versions) {
  const byNumber = new Map(versions.map((one) => [one.version, one]));
  const rows = versions.map((one) => one.version).sort((one, other) => other - one);
  const lanes = new Map();
  const head = versions.find((one) => one.status === "head")?.version ?? rows[0];
  let used = 0;
  const follow = (version, lane) => {
    for (let at = version; byNumber.has(at) && !lanes.has(at); at = byNumber.get(at).parent_version) lanes.set(at, lane);
  };
  follow(head, 0);
  for (const version of rows) {
    if (lanes.has(version)) continue;
    used += 1;
    follow(version, used);
  }
  const rowOf = new Map(rows.map((version, index) => [version, index]));
  return {
    laneCount: used + 1,
    rows: rows.map((version) => ({ version: byNumber.get(version), lane: lanes.get(version) })),
    lines: rows.flatMap((version) => {
      const { parent_version, merged_version } = byNumber.get(version);
      return [parent_version, merged_version]
        .filter((parent) => rowOf.has(parent))
        .map((parent) => ({
          from: { row: rowOf.get(version), lane: lanes.get(version) },
          to: { row: rowOf.get(parent), lane: lanes.get(parent) },
          isMerge: parent === merged_version && parent !== parent_version,
        }));
    }),
  };
}
