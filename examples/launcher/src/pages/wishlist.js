/** What the player wishes for, in their order, with prices and the conditions of notices. */

import { h } from "../dom.js";
import { draftChoice, dropDraft } from "../drafts.js";
import { badge, cover, empty } from "../parts/card.js";

const CONDITIONS = [10, 25, 50, 75];

export const wishlist = {
  title: (app) => app.texts.wishlist,

  async load({ client, config }) {
    const product_ids = config.games.map((game) => game.product_id);
    const [wishes, items] = await Promise.all([
      client.wishlist.listWishes().all(),
      client.library.listItems({ product_ids, include_hidden: "true" }).all(),
    ]);
    const known = new Set([...wishes, ...items].map((one) => one.attributes.product_id));
    return { wishes, others: config.games.filter((game) => !known.has(game.product_id)) };
  },

  render(app, { wishes, others }) {
    const { texts } = app;
    return [
      h("div", { class: "heading" }, h("h1", {}, texts.wishlist), h("span", { class: "count" }, texts.games(wishes.length))),
      others.length > 0 ? addForm(app, others) : null,
      wishes.length > 0 ? h("ol", { class: "wishes" }, wishes.map((one, index) => wish(app, one, index, wishes))) : empty(texts.noWishes),
    ];
  },
};

function addForm(app, others) {
  const { texts } = app;
  const submit = app.act(async (event) => {
    const chosen = event.target.elements.product.value;
    await app.client.wishlist.addWish({ product_id: chosen });
    dropDraft(app.state, "wish-product", chosen);
  });
  return h("form", { class: "tools", "data-key": "wish-form", onsubmit: submit },
    h("label", { class: "field" }, texts.wishWhich, h("select", { name: "product", ...draftChoice(app.state, "wish-product", others.map((game) => game.product_id)) }, others.map((game) => h("option", { value: game.product_id }, game.title[app.language])))),
    h("button", { class: "primary", "data-key": "wish-add" }, "♥ ", texts.wish));
}

function wish(app, one, index, wishes) {
  const { texts, client } = app;
  const { attributes } = one;
  const title = attributes.title ?? app.titleOf(attributes.product_id);
  const game = app.config.games.find(({ product_id }) => product_id === attributes.product_id);
  const move = (by) => app.act(async () => {
    const ids = wishes.map(({ id }) => id);
    ids.splice(index + by, 0, ...ids.splice(index, 1));
    await client.wishlist.orderWishes({ item_ids: ids });
  });
  const button = (label, sign, isOff, onclick, key) => h("button", { class: "quiet icon", "aria-label": `${label}: ${title}`, title: label, disabled: isOff, "data-key": `${key}-${one.id}`, onclick }, sign);
  return h("li", { class: "wish", "data-product": attributes.product_id },
    cover(attributes.cover_image_url, "thumb"),
    h("div", { class: "grow" }, h("h2", {}, title), h("p", { class: "badges" }, price(app, attributes.current_price)), attributes.notes ? h("p", { class: "facts" }, attributes.notes) : null, condition(app, one, title)),
    h("div", { class: "actions" },
      button(texts.moveUp, "↑", index === 0, move(-1), "up"), button(texts.moveDown, "↓", index === wishes.length - 1, move(1), "down"),
      button(texts.remove, "✕", false, app.act(() => client.wishlist.removeWish(one.id)), "remove"),
      game ? h("button", { class: "demo-button", title: texts.demoHint, "aria-label": `${texts.buy}: ${title}`, "data-key": `buy-${one.id}`, onclick: app.act(() => app.buy(game)) }, game.is_free ? texts.claim : texts.buy) : null));
}

function price(app, found) {
  const { texts, format } = app;
  if (!found) return h("span", { class: "facts" }, texts.noPrice);
  return [h("strong", {}, format.money(found.price_minor, found.currency)),
    found.discount_percent > 0 ? badge(texts.discount(found.discount_percent), "sale") : null,
    found.sale_ends_at ? h("span", { class: "facts" }, texts.until(format.ago(found.sale_ends_at))) : null];
}

function condition(app, one, title) {
  const { texts, client } = app;
  const { min_discount_percent } = one.attributes;
  const values = [...new Set([...CONDITIONS, ...(min_discount_percent ? [min_discount_percent] : [])])].sort((a, b) => a - b);
  const change = app.act((event) => client.wishlist.updateWish(one.id, { min_discount_percent: event.target.value ? Number(event.target.value) : null }));
  return h("label", { class: "field inline" }, h("span", {}, texts.notifyAt),
    h("select", { value: String(min_discount_percent ?? ""), "aria-label": `${texts.notifyAt}: ${title}`, "data-key": `condition-${one.id}`, onchange: change },
      h("option", { value: "" }, texts.any), values.map((value) => h("option", { value: String(value) }, app.format.percent(value)))));
}
