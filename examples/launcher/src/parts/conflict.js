/** A conflict of saves: both sides beside each other, and the ways out of it. */

import { h } from "../dom.js";
import { keep } from "../saves/device.js";
import { decoded, SLOT } from "../saves/game.js";
import { deviceName } from "./card.js";

export function conflictPanel(app, conflict) {
  const { texts } = app;
  const { head, branch, slot_name, differences = [] } = conflict.attributes;
  return h("section", { class: "conflict", "aria-label": `${texts.conflictTitle}: ${slot_name}` },
    h("h2", {}, `⚠ ${texts.conflictTitle}: ${slot_name}`), h("p", {}, texts.conflictHint),
    h("div", { class: "sides" }, side(app, conflict, head, texts.cloudSide, "keep_cloud", texts.keepCloud), side(app, conflict, branch, texts.otherSide, "keep_local", texts.keepLocal)),
    new Set(differences.map(({ unit }) => unit)).size > 1 ? merge(app, conflict, differences) : null,
    h("p", { class: "actions" }, h("button", { "data-key": "keep_both", onclick: app.act(() => resolve(app, conflict, { resolution: "keep_both" })) }, texts.keepBoth)));
}

function side(app, conflict, { attributes }, title, resolution, label) {
  const { texts, format } = app;
  const name = deviceName(app, attributes.device_id);
  return h("div", { class: "side" }, h("h3", {}, title),
    h("p", {}, h("strong", {}, name), h("br"), `${texts.version(attributes.version)} · ${format.ago(attributes.server_uploaded_at)} · ${format.bytes(attributes.file_size_bytes)}`),
    h("button", { class: "primary", "data-key": resolution, "aria-label": `${label}: ${name}`, onclick: app.act(() => resolve(app, conflict, { resolution })) }, label));
}

function merge(app, conflict, differences) {
  const { texts } = app;
  const units = new Map();
  for (const one of differences) units.set(one.unit, { ...one, isBoth: units.get(one.unit)?.isBoth || !one.suggested });
  app.state.units ??= {};
  const chosen = (unit, suggested) => app.state.units[`${conflict.id}/${unit}`] ?? suggested ?? "branch";
  const choice = (unit, { suggested, kind }) => {
    const change = (event) => {
      app.state.units[`${conflict.id}/${unit}`] = event.target.value;
    };
    return h("label", { class: "unit" }, h("span", { class: "grow" }, h("code", {}, unit), " ", h("span", { class: "facts" }, texts.changed[kind] ?? kind)),
      h("select", { value: chosen(unit, suggested), "aria-label": texts.takeFrom(unit), "data-key": `unit-${unit}`, onchange: change },
        h("option", { value: "head" }, texts.cloudSide), h("option", { value: "branch" }, texts.otherSide)));
  };
  const click = app.act(() => {
    const named = Object.fromEntries([...units].map(([unit, one]) => [unit, chosen(unit, one.suggested)]));
    return resolve(app, conflict, { resolution: "merge", units: named });
  });
  return h("div", { class: "merge-units" }, h("p", {}, texts.mergeHint), [...units].map(([unit, one]) => choice(unit, one)),
    h("button", { class: "primary", "data-key": "merge", onclick: click }, "⇄ ", texts.merge));
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
