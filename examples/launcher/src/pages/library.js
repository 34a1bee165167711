/** All games of the player: searched, filtered, sorted, and in categories. */

import { h } from "../dom.js";
import { draftText, dropDraft } from "../drafts.js";
import { empty, gameCard } from "../parts/card.js";

const TYPING_MS = 250;

export const library = {
  title: (app) => app.texts.library,

  async load({ client, state, deviceId }) {
    const query = {
      search: state.search || undefined,
      sort_by: state.sort ?? "last_played_desc",
      status: state.status ? [state.status] : undefined,
      category_id: state.category || undefined,
      shared: state.isShared ? "only" : "include",
      include_hidden: state.withHidden ? "true" : "false",
      device_id: deviceId,
      include: ["achievements", "saves", "playtime"],
    };
    const [items, categories] = await Promise.all([client.library.listItems(query).all(), client.library.listCategories().all()]);
    return { items, categories };
  },

  render(app, { items, categories }) {
    const { texts } = app;
    return [
      h("div", { class: "heading" }, h("h1", {}, texts.library), h("span", { class: "count", role: "status" }, texts.games(items.length))),
      h("div", { class: "tools", role: "search" }, search(app), sort(app), status(app), toggle(app, "isShared", texts.sharedOnly), toggle(app, "withHidden", texts.showHidden)),
      chips(app, categories),
      items.length > 0 ? h("div", { class: "grid" }, items.map((item) => gameCard(app, item, "h2"))) : empty(texts.nothingFound),
    ];
  },
};

function choose(app, changes) {
  Object.assign(app.state, changes);
  void app.refresh();
}

function search(app) {
  const { texts, state } = app;
  const typed = (event) => {
    state.search = event.target.value;
    clearTimeout(state.typing);
    state.typing = setTimeout(() => app.refresh(), TYPING_MS);
  };
  return h("label", { class: "field grow" }, texts.search,
    h("input", { type: "search", placeholder: texts.searchHint, value: state.search ?? "", "data-key": "search", oninput: typed }));
}

function sort(app) {
  const options = Object.entries(app.texts.sorts).map(([value, text]) => h("option", { value }, text));
  const change = (event) => choose(app, { sort: event.target.value });
  return h("label", { class: "field" }, app.texts.sort, h("select", { value: app.state.sort ?? "last_played_desc", "data-key": "sort", onchange: change }, options));
}

function status(app) {
  const options = [["", app.texts.all], ...Object.entries(app.texts.statuses)].map(([value, text]) => h("option", { value }, text));
  const change = (event) => choose(app, { status: event.target.value });
  return h("label", { class: "field" }, app.texts.status, h("select", { value: app.state.status ?? "", "data-key": "status", onchange: change }, options));
}

function toggle(app, name, text) {
  const change = (event) => choose(app, { [name]: event.target.checked });
  return h("label", { class: "check" }, h("input", { type: "checkbox", checked: Boolean(app.state[name]), "data-key": name, onchange: change }), text);
}

function chips(app, categories) {
  const { texts, state } = app;
  const chip = (id, text, count) => {
    const isOn = (state.category ?? "") === id;
    const attributes = { class: "chip", "aria-pressed": String(isOn), "data-key": `category-${id}`, onclick: () => choose(app, { category: id }) };
    return h("button", attributes, text, count === undefined ? null : h("span", { class: "number" }, String(count)));
  };
  const create = app.act(async (event) => {
    const typed = event.target.elements.name.value;
    if (typed.trim()) await app.client.library.createCategory({ name: typed.trim() });
    dropDraft(state, "new-category", typed);
  });
  return h("div", { class: "chips", role: "group", "aria-label": texts.category },
    chip("", texts.all),
    categories.map((one) => chip(one.id, one.attributes.name, one.attributes.item_count)),
    h("form", { class: "inline", "data-key": "category-form", onsubmit: create }, h("input", { name: "name", "aria-label": texts.newCategory, placeholder: texts.newCategory, maxlength: "50", ...draftText(state, "new-category") }),
      h("button", { class: "quiet", "data-key": "category-add" }, texts.add)));
}
