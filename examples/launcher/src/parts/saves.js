/** The cloud saves of a game: saved, loaded, restored, and their history as a tree. */

import { deviceName } from "../devices.js";
import { h } from "../dom.js";
import { keep, stateOf } from "../saves/device.js";
import { decoded, encoded, played, SLOT } from "../saves/game.js";
import { badge, empty } from "./card.js";
import { versionTree } from "./version-tree.js";

export async function loadSaves(app, productId) {
  const { client } = app;
  const query = { product_id: productId };
  const [saves, conflicts] = await Promise.all([client.saves.listSaves(query).all(), client.saves.listConflicts(query).all()]);
  const [histories, details] = await Promise.all([
    Promise.all(saves.map((one) => client.saves.listVersions(one.id).all())),
    Promise.all(conflicts.map((one) => client.saves.getConflict(one.id))),
  ]);
  return {
    saves: { list: saves.map((save, index) => ({ save, versions: histories[index] })), save: () => saveGame(app, productId) },
    conflicts: details.map(({ data }) => data),
  };
}

export function savesPanel(app, productId, { list }) {
  const { texts } = app;
  return [
    h("p", { class: "actions" }, h("button", { "data-key": "save-now", onclick: app.act(() => saveGame(app, productId)) }, "⤒ ", texts.save)),
    list.length > 0 ? list.map((one) => saveCard(app, productId, one)) : empty(texts.noSaves),
  ];
}

/** Plays a little and saves what came of it, based on the version that this device had. */
export async function saveGame(app, productId) {
  const { client, texts, toasts, device } = app;
  const state = stateOf(app, productId);
  const files = played(state.files, device);
  const about = { product_id: productId, save_slot_name: SLOT, base_version: state.version };
  const saved = await client.saves.uploadSet(about, encoded(files));
  keep(app, productId, { version: saved.ownVersion ?? state.version, files });
  if (saved.result === "conflict") toasts.show(texts.savedConflict, "warning");
  else if (saved.result === "identical") toasts.show(texts.savedIdentical);
  else toasts.show(saved.ownVersion === undefined ? texts.saveState.newer_elsewhere : texts.saved(saved.ownVersion));
}

function saveCard(app, productId, { save, versions }) {
  const { texts, format } = app;
  const { attributes } = save;
  const isMine = attributes.slot_name === SLOT;
  const here = isMine ? stateOf(app, productId).version : undefined;
  const load = app.act(() => loadSave(app, productId, save));
  const restore = (version) => async () => {
    await app.client.saves.restoreVersion(save.id, { version, device_id: app.deviceId });
    app.toasts.show(texts.restored);
  };
  return h("article", { class: "save", "data-save": attributes.slot_name },
    h("div", { class: "save-head" }, h("h3", {}, attributes.slot_name), badge(texts.version(attributes.version)),
      h("span", { class: "facts" }, `${texts.from(deviceName(app, attributes.device_id))} · ${format.ago(attributes.server_uploaded_at)} · ${format.bytes(attributes.file_size_bytes)}${attributes.file_count ? ` · ${texts.files(attributes.file_count)}` : ""}`),
      isMine && here !== attributes.version ? h("button", { class: "primary", "data-key": `load-${save.id}`, onclick: load }, "⤓ ", texts.load) : null),
    versionTree(app, versions, { name: save.id, here, restore }));
}

async function loadSave(app, productId, save) {
  const loaded = await app.client.saves.download(save.id);
  keep(app, productId, { version: loaded.version, files: decoded(loaded.files) });
  await app.client.saves.reportSynced(save.id, { version: loaded.version, device_id: app.deviceId });
  app.toasts.show(app.texts.loaded(loaded.version));
}
