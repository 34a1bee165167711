/** The buttons that only a demo has: in the place of the shop, and of another device. */

import { h } from "../dom.js";
import { addressOf } from "../place.js";

export const demoBar = {
  /** The games that the player does not have. */
  async load({ client, config }) {
    const product_ids = config.games.map((game) => game.product_id);
    const items = await client.library.listItems({ product_ids, include_hidden: "true" }).all();
    const owned = new Set(items.map((item) => item.attributes.product_id));
    return config.games.filter((game) => !owned.has(game.product_id));
  },

  render(app, games) {
    const { texts } = app;
    const other = app.device === "deck" ? "pc" : "deck";
    const second = { class: "button", href: addressOf(app.player, other, location.hash), target: `gameshelf-${other}`, "data-key": "second" };
    return [
      h("span", { class: "demo-name", title: texts.demoHint }, texts.demo),
      games.length > 0 && shop(app, games),
      h("a", second, texts.secondDevice, h("span", { "aria-hidden": "true" }, " ↗")),
      h("span", { class: "demo-hint" }, texts.demoHint),
    ];
  },
};

function shop(app, games) {
  const { texts } = app;
  // The tour's game first: its purchase is also what `./dev up` proposes to type.
  const proposed = games.find((game) => game.price_minor) ?? games[0];
  const chosen = games.find((game) => game.product_id === app.chosenToBuy) ?? proposed;
  const options = games.map((game) => h("option", { value: game.product_id }, labelOf(app, game)));
  const change = (event) => {
    app.chosenToBuy = event.target.value;
    app.draw();
  };
  return [
    h("select", { "aria-label": texts.buyWhich, "data-key": "shop", value: chosen.product_id, onchange: change }, options),
    h("button", { class: "primary", "data-key": "buy", onclick: app.act(() => app.buy(chosen)) }, chosen.is_free ? texts.claim : texts.buy),
  ];
}

function labelOf(app, game) {
  const price = game.is_free ? app.texts.acquisition.free_to_play : game.price_minor === null ? "" : app.format.money(game.price_minor, "RUB");
  return price ? `${game.title[app.language]} · ${price}` : game.title[app.language];
}
