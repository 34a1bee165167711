/** A game as a card, and the small parts that several pages show. */

import { h } from "../dom.js";

/** A cover, which names the game by itself: the title beside it is the text. */
export function cover(url, className = "cover") {
  return url ? h("img", { class: className, src: url, alt: "", loading: "lazy", width: "300", height: "400" }) : h("span", { class: `${className} empty` });
}

export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

/** A bar of how much of something is there; the text beside it says the same. */
export function meter(part, whole, label) {
  const share = whole > 0 ? Math.min(part / whole, 1) : 0;
  const bar = { class: "meter", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" };
  return h("span", { ...bar, "aria-valuenow": String(Math.round(share * 100)) }, h("span", { style: { width: `${share * 100}%` } }));
}

export function saveBadge(app, saves) {
  const kinds = { synced: "good", newer_elsewhere: "info", conflict: "bad" };
  return saves?.state ? badge(app.texts.saveState[saves.state], kinds[saves.state]) : null;
}

/**
 * A card of a library item: the cover leads to the game, and the text says how far the player is. Its heading is one
 * level below that of the list which it is in.
 */
export function gameCard(app, item, heading = "h3") {
  const { texts, format } = app;
  const { attributes } = item;
  const { achievements, playtime, saves } = attributes;
  const isPlayed = attributes.total_playtime_seconds > 0;
  return h(
    "article",
    { class: "card", "data-product": attributes.product_id },
    h("a", { class: "card-link", href: `#/game/${attributes.product_id}`, "data-key": `card-${attributes.product_id}` },
      h("span", { class: "frame" }, cover(attributes.cover_image_url)), h(heading, { class: "card-title" }, attributes.title ?? "?")),
    h("p", { class: "facts" }, isPlayed ? timeOf(texts, format, attributes, playtime) : texts.neverPlayed),
    achievements && achievements.total > 0
      ? h("p", { class: "facts" }, meter(achievements.unlocked, achievements.total, texts.achievements), `${achievements.unlocked}/${achievements.total}`)
      : null,
    h("p", { class: "badges" }, app.play.of(attributes.product_id) ? badge(texts.playingNow, "good") : null, origin(app, attributes), saveBadge(app, saves)),
  );
}

function timeOf(texts, format, attributes, playtime) {
  if (playtime?.last_2_weeks_seconds) return texts.twoWeeks(format.duration(playtime.last_2_weeks_seconds));
  return texts.total(format.duration(attributes.total_playtime_seconds));
}

/** How the game came into the library, where that is not the usual way. */
export function origin(app, { acquisition_type, shared_from_user_id }) {
  const { texts, nameOf } = app;
  if (acquisition_type === "family_shared_access") return badge(texts.sharedBy(nameOf(shared_from_user_id) ?? texts.unknownPlayer), "info");
  return acquisition_type === "purchase" ? null : badge(texts.acquisition[acquisition_type]);
}

export function section(title, ...content) {
  return h("section", { class: "part", "aria-label": title }, h("h2", {}, title), content);
}

export function empty(text) {
  return h("p", { class: "nothing" }, text);
}
