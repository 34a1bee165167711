/** One game: play it, its achievements, its saves, its settings. */

import { h } from "../dom.js";
import { achievementList, nextOf, unlock } from "../parts/achievements.js";
import { badge, cover, empty, origin, saveBadge, section } from "../parts/card.js";
import { conflictPanel } from "../parts/conflict.js";
import { playButton } from "../parts/play-button.js";
import { loadSaves, savesPanel } from "../parts/saves.js";
import { loadSettings, settingsPanel } from "../parts/settings.js";
import { demo } from "../session.js";

export const game = {
  title: (app, { item }) => item?.attributes.title ?? app.texts.game,

  async load(app, { id }) {
    const { client, deviceId } = app;
    const include = ["achievements", "saves", "playtime"];
    const { data } = await client.library.listItems({ product_ids: [id], include, include_hidden: "true", device_id: deviceId });
    const [item] = data;
    if (!item) return { item: undefined };
    const [achievements, categories, saves, settings] = await Promise.all([
      client.achievements.listAchievements(id),
      client.library.listCategories().all(),
      loadSaves(app, id),
      loadSettings(app, id),
    ]);
    return { item, achievements: achievements.data, categories, ...saves, settings };
  },

  render(app, found, { id }) {
    const { texts } = app;
    if (!found.item) return [h("h1", {}, app.titleOf(id)), empty(texts.overReasons.access_revoked), h("p", {}, h("a", { class: "button", href: "#/library", "data-key": "back" }, texts.backToLibrary))];
    return [
      head(app, found),
      app.play.of(id) ? playing(app, id, found) : null,
      found.conflicts.map((one) => conflictPanel(app, one)),
      h("div", { class: "columns" },
        section(texts.achievements, achievementList(app, found.achievements)),
        h("div", { class: "column" }, section(texts.saves, savesPanel(app, id, found.saves)), section(texts.settings, settingsPanel(app, id, found.settings)),
          section(texts.categories, categories(app, found)))),
    ];
  },
};

function head(app, { item }) {
  const { texts, format } = app;
  const { attributes } = item;
  const isShared = attributes.acquisition_type === "family_shared_access";
  return h("section", { class: "hero game-head", "aria-label": attributes.title },
    h("div", { class: "hero-picture", "aria-hidden": "true" }, cover(attributes.cover_image_url, "blur")),
    cover(attributes.cover_image_url, "hero-cover"),
    h("div", { class: "hero-text" },
      h("h1", {}, attributes.title),
      h("p", { class: "facts" }, attributes.last_played_at ? `${texts.lastPlayed(format.ago(attributes.last_played_at))} · ${texts.total(format.duration(attributes.total_playtime_seconds))}` : texts.neverPlayed),
      h("p", { class: "badges" }, origin(app, attributes), saveBadge(app, attributes.saves), attributes.installation_status === "installed" ? badge(texts.installed, "good") : null),
      h("p", { class: "actions" }, playButton(app, attributes.product_id), install(app, item), hide(app, item),
        attributes.acquisition_type === "purchase" ? refund(app, attributes.product_id) : null, isShared && app.play.of(attributes.product_id) ? ownerPlays(app, attributes) : null)));
}

function install(app, item) {
  const isInstalled = item.attributes.installation_status === "installed";
  const change = { installation_status: isInstalled ? "not_installed" : "installed", device_id: app.deviceId };
  const click = app.act(() => app.client.library.updateItem(item.id, change));
  return h("button", { "data-key": "install", onclick: click }, isInstalled ? app.texts.uninstall : app.texts.install);
}

function hide(app, item) {
  const { is_hidden } = item.attributes;
  const click = app.act(() => app.client.library.updateItem(item.id, { is_hidden: !is_hidden }));
  return h("button", { "data-key": "hide", onclick: click }, is_hidden ? app.texts.unhide : app.texts.hide);
}

function refund(app, product_id) {
  const click = app.act(async () => {
    await demo("refund", { user_id: app.player.user_id, product_id });
    app.toasts.show(app.texts.refunded);
  });
  return h("button", { class: "demo-button", "data-key": "refund", title: app.texts.demoHint, onclick: click }, app.texts.refund);
}

/** The owner of a shared copy starts the game on a device of their own. */
function ownerPlays(app, { product_id, shared_from_user_id }) {
  const click = app.act(() => app.clientOf(shared_from_user_id).playtime.startSession({ product_id, device_id: "living-room" }));
  return h("button", { class: "demo-button", "data-key": "owner", title: app.texts.demoHint, onclick: click }, app.texts.ownerPlays);
}

function playing(app, id, { achievements, saves }) {
  const { texts, format } = app;
  const { since, lostAt } = app.play.of(id);
  const clock = h("strong", { class: "clock" });
  const warning = h("span", {});
  const tick = () => {
    clock.textContent = format.clock((Date.now() - since) / 1000);
    if (lostAt) warning.textContent = texts.seatReclaimed(format.clock((Date.parse(lostAt) - Date.now()) / 1000));
    if (panel.isConnected) setTimeout(tick, 1_000);
  };
  const next = nextOf(achievements);
  const unlockNext = app.act(() => unlock(app, next));
  const panel = h("section", { class: "playing", "aria-label": texts.playingNow },
    h("p", {}, h("span", { class: "dot", "aria-hidden": "true" }), texts.playingNow, " · ", texts.sessionTime, " ", clock),
    lostAt ? h("p", { class: "lost" }, warning) : null,
    h("p", { class: "actions" },
      next ? h("button", { class: "primary", "data-key": "unlock", onclick: unlockNext }, "★ ", texts.unlockNext) : badge(texts.allUnlocked, "good"),
      h("button", { class: "primary", "data-key": "save", onclick: app.act(() => saves.save()) }, "⤒ ", texts.save)));
  setTimeout(tick);
  return panel;
}

function categories(app, { item, categories: all }) {
  if (all.length === 0) return empty(app.texts.noCategories);
  const mine = new Set(item.relationships.categories.data.map((one) => one.id));
  const box = (one) => {
    const change = app.act(() => {
      const list = mine.has(one.id) ? "remove_category_ids" : "add_category_ids";
      return app.client.library.updateItem(item.id, { [list]: [one.id] });
    });
    return h("label", { class: "check" }, h("input", { type: "checkbox", checked: mine.has(one.id), "data-key": `in-${one.id}`, onchange: change }), one.attributes.name);
  };
  return h("div", { class: "checks" }, all.map(box));
}

