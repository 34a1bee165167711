/** The first screen, from one request. */

import { deviceName } from "../devices.js";
import { h } from "../dom.js";
import { badge, cover, empty, gameCard, meter, saveBadge, section } from "../parts/card.js";
import { playButton } from "../parts/play-button.js";
import { refusedSection, refusedWork } from "../waiting.js";

export const home = {
  title: (app) => app.texts.home,

  async load(app) {
    const [home, refused] = await Promise.all([app.client.home(), refusedWork(app)]);
    return { ...home.data.attributes, refused };
  },

  render(app, found) {
    const { texts } = app;
    const [first, ...others] = found.continue_playing;
    const row = (items) => h("div", { class: "row" }, items.map((item) => gameCard(app, item)));
    return [
      h("h1", { class: "visually-hidden" }, texts.home),
      first ? hero(app, first) : null,
      found.playing_now.length > 0 && section(texts.playingNow, h("ul", { class: "list" }, found.playing_now.map((one) => running(app, one)))),
      refusedSection(app, found.refused),
      found.conflicts.length > 0 && section(texts.conflicts, h("ul", { class: "list" }, found.conflicts.map((one) => conflict(app, one)))),
      others.length > 0 && section(texts.continuePlaying, row(others)),
      section(texts.newItems, found.new_items.length > 0 ? row(found.new_items) : empty(texts.noGames)),
      found.wishes_on_sale.length > 0 && section(texts.onSale, h("div", { class: "row" }, found.wishes_on_sale.map((one) => wish(app, one)))),
      storage(app, found.storage, found.item_count),
    ];
  },
};

function hero(app, { attributes }) {
  const { texts, format } = app;
  const { achievements } = attributes;
  return h(
    "section",
    { class: "hero", "aria-label": attributes.title },
    h("div", { class: "hero-picture", "aria-hidden": "true" }, cover(attributes.cover_image_url, "blur")),
    cover(attributes.cover_image_url, "hero-cover"),
    h(
      "div",
      { class: "hero-text" },
      h("p", { class: "over" }, texts.continuePlaying),
      h("h2", {}, h("a", { href: `#/game/${attributes.product_id}`, "data-key": "hero-title" }, attributes.title)),
      h("p", { class: "facts" }, attributes.last_played_at ? texts.lastPlayed(format.ago(attributes.last_played_at)) : texts.neverPlayed,
        ` · ${texts.total(format.duration(attributes.total_playtime_seconds))}`),
      achievements ? h("p", { class: "facts" }, meter(achievements.unlocked, achievements.total, texts.achievements), texts.achievementsOf(achievements.unlocked, achievements.total)) : null,
      h("p", { class: "badges" }, saveBadge(app, attributes.saves)),
      h("p", { class: "actions" }, playButton(app, attributes.product_id), h("a", { class: "button", href: `#/game/${attributes.product_id}`, "data-key": "hero-details" }, texts.details)),
    ),
  );
}

function running(app, one) {
  return h("li", {}, h("span", { class: "dot", "aria-hidden": "true" }), h("a", { href: `#/game/${one.product_id}`, "data-key": `running-${one.product_id}-${one.device_id}` }, one.title ?? app.titleOf(one.product_id)),
    h("span", { class: "facts" }, `${deviceName(app, one.device_id)} · ${app.format.ago(one.start_time)}`),
    app.play.of(one.product_id) ? playButton(app, one.product_id) : null);
}

function conflict(app, one) {
  return h("li", { class: "attention" }, cover(one.cover_image_url, "thumb"),
    h("span", { class: "grow" }, h("strong", {}, one.title ?? app.titleOf(one.product_id)), h("br"), `${one.slot_name} · ${deviceName(app, one.head_device_id)} / ${deviceName(app, one.branch_device_id)}`),
    h("a", { class: "button primary", href: `#/game/${one.product_id}`, "data-key": `conflict-${one.product_id}-${one.slot_name}`, "aria-label": `${app.texts.open}: ${one.title}` }, app.texts.open));
}

function wish(app, one) {
  const { texts, format } = app;
  return h("article", { class: "card" },
    h("a", { class: "card-link", href: "#/wishlist", "data-key": `sale-${one.product_id}` }, h("span", { class: "frame" }, cover(one.cover_image_url), badge(texts.discount(one.discount_percent), "sale")), h("h3", { class: "card-title" }, one.title ?? app.titleOf(one.product_id))),
    h("p", { class: "facts" }, format.money(one.price_minor, one.currency), one.sale_ends_at ? ` · ${texts.until(format.ago(one.sale_ends_at))}` : ""));
}

function storage(app, { used_bytes, limit_bytes }, count) {
  const { texts, format } = app;
  return h("footer", { class: "storage" }, h("span", {}, texts.games(count)),
    h("span", {}, texts.storage), meter(used_bytes, limit_bytes, texts.storage), h("span", {}, texts.used(format.bytes(used_bytes), format.bytes(limit_bytes))));
}
