/** A conflict of saves: both sides beside each other, and the ways out of it. */

import { sidesOf } from "../devices.js";
import { h } from "../dom.js";
import { keep } from "../saves/device.js";
import { decoded, SLOT } from "../saves/game.js";

export function conflictPanel(app, conflict) {
  const { texts } = app;
  const { slot_name, differences = [] } = conflict.attributes;
  const sides = sidesOf(app, conflict.attributes);
  return h("section", { class: "conflict", "aria-label": `${texts.conflictTitle}: ${slot_name}` },
    h("h2", {}, `⚠ ${texts.conflictTitle}: ${slot_name}`), h("p", {}, texts.conflictHint),
    h("div", { class: "sides" }, side(app, conflict, sides.head, "keep_cloud"), side(app, conflict, sides.branch, "keep_local")),
    new Set(differences.map(({ unit }) => unit)).size > 1 ? merge(app, conflict, sides, differences) : null,
    h("p", { class: "actions" }, h("button", { "data-key": `${conflict.id}-keep_both`, onclick: app.act(() => resolve(app, conflict, { resolution: "keep_both" })) }, texts.keepBoth)));
}

/** One side. For the service both are in the cloud; what the player knows them by is the device. */
function side(app, conflict, { attributes, name, label }, resolution) {
  const { texts, format } = app;
  return h("div", { class: "side", "data-side": resolution }, h("h3", {}, name),
    h("p", {}, h("strong", {}, `${texts.version(attributes.version)} (${texts.versionStatus[attributes.status]})`), h("br"), `${format.ago(attributes.server_uploaded_at)} · ${format.bytes(attributes.file_size_bytes)}`),
    h("button", { class: "primary", "data-key": `${conflict.id}-${resolution}`, "aria-label": `${texts.keepThis}: ${label}`, onclick: app.act(() => resolve(app, conflict, { resolution })) }, texts.keepThis));
}

function merge(app, conflict, { head, branch }, differences) {
  const { texts } = app;
  const units = new Map();
  for (const one of differences) units.set(one.unit, { ...one, isBoth: units.get(one.unit)?.isBoth || !one.suggested });
  app.state.units ??= {};
  const chosen = (unit, suggested) => app.state.units[`${conflict.id}/${unit}`] ?? suggested ?? "branch";
  const choice = (unit, { suggested, kind }) => {
    const change = (event) => {
      app.state.units[`${conflict.id}/${unit}`] = event.target.value;
    };
    return h("label", { class: "unit" }, h("span", { class: "grow" }, h("code", {}, unit), " ", h("span", { class: "facts" }, texts.changed[kind]?.(head.attributes.version, branch.attributes.version) ?? kind)),
      h("select", { value: chosen(unit, suggested), "aria-label": texts.takeFrom(unit), "data-key": `${conflict.id}-unit-${unit}`, onchange: change },
        h("option", { value: "head" }, head.label), h("option", { value: "branch" }, branch.label)));
  };
  const click = app.act(() => {
    const named = Object.fromEntries([...units].map(([unit, one]) => [unit, chosen(unit, one.suggested)]));
    return resolve(app, conflict, { resolution: "merge", units: named });
  });
  return h("div", { class: "merge-units" }, h("p", {}, texts.mergeHint), [...units].map(([unit, one]) => choice(unit, one)),
    h("button", { class: "primary", "data-key": `${conflict.id}-merge`, onclick: click }, "⇄ ", texts.merge));
}

/** Decides, for the sides that the player has seen, and takes the result to this device. */
async function resolve(app, conflict, decision) {
  const { head, branch, product_id, slot_name, savegame_id } = conflict.attributes;
  const versions = { head_version: head.attributes.version, branch_version: branch.attributes.version };
  await app.client.saves.resolveConflict(conflict.id, { ...decision, ...versions });
  if (slot_name === SLOT) {
    const loaded = await app.client.saves.download(savegame_id);
    keep(app, product_id, { version: loaded.version, files: decoded(loaded.files) });
    await app.client.saves.reportSynced(savegame_id, { version: loaded.version, device_id: app.deviceId });
  }
  app.toasts.show(app.texts.resolved);
}
