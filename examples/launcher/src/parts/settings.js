/** The settings of a game: two that follow the player, one that stays on the device. */

import { LibraryRefusal } from "../../vendor/client/index.js";
import { h } from "../dom.js";

/** The merged settings of this device; undefined for a game that has none yet. */
export async function loadSettings({ client, deviceId }, productId) {
  const { data: layers } = await client.settings.listLayers(productId);
  if (layers.length === 0) return undefined;
  const { data } = await client.settings.getSettings(productId, { device_id: deviceId });
  return data.attributes.settings_payload;
}

export function settingsPanel(app, productId, found) {
  const { texts, client, deviceId } = app;
  const payload = found ?? {};
  const set = (name, layer, valueOf = (event) => event.target.value) =>
    app.act(async (event) => {
      const value = valueOf(event);
      // The first settings of a game are written at once: reading them before is a 404, which browsers log as an error.
      if (found) await client.settings.update(productId, (settings) => ({ ...settings, [name]: value }), layer);
      else await first(client.settings, productId, { [name]: value }, layer);
      app.toasts.show(texts.settingsSaved);
    });
  const select = (name, label, values, fallback, layer) =>
    h("label", { class: "field" }, label,
      h("select", { value: payload[name] ?? fallback, "data-key": `setting-${name}`, onchange: set(name, layer) },
        Object.entries(values).map(([value, text]) => h("option", { value }, text))));
  return h("div", { class: "settings" },
    h("label", { class: "field" }, texts.volume,
      h("input", { type: "range", min: "0", max: "10", value: String(payload.volume ?? 7), "data-key": "setting-volume", onchange: set("volume", {}, (event) => Number(event.target.value)) })),
    select("difficulty", texts.difficulty, texts.difficulties, "normal", {}),
    select("graphics", texts.graphics, texts.graphicsLevels, "high", { device_id: deviceId }),
    h("p", { class: "facts" }, texts.settingsHint));
}

/** The first settings of a game, unless another window, or another field, was faster: then they are added to those. */
export async function first(settings, productId, payload, layer) {
  try {
    await settings.putSettings(productId, { settings_payload: payload }, layer, { ifNoneMatch: "*" });
  } catch (error) {
    if (!(error instanceof LibraryRefusal) || error.status !== 412) throw error;
    await settings.update(productId, (found) => ({ ...found, ...payload }), layer);
  }
}
