/** The achievements of a game, with how rare they are. */

import { h } from "../dom.js";
import { RefusedWork } from "../errors.js";
import { sendWaiting } from "../waiting.js";
import { empty, meter } from "./card.js";

export function achievementList(app, achievements) {
  if (achievements.length === 0) return empty(app.texts.noAchievements);
  return h("ul", { class: "achievements" }, achievements.map((one) => row(app, one)));
}

function row(app, { attributes: one }) {
  const { texts, format } = app;
  const { is_unlocked, current_progress } = one;
  const rarity = one.rarity_percentage === null ? texts.unknownRarity : texts.rarity(format.percent(one.rarity_percentage));
  return h("li", { class: is_unlocked ? "unlocked" : "locked", "data-achievement": one.api_name ?? "hidden" },
    icon(is_unlocked ? one.icon_url_unlocked : one.icon_url_locked),
    h("span", { class: "grow" },
      h("strong", {}, one.name ?? texts.hiddenAchievement), one.description ? h("span", { class: "facts" }, one.description) : null,
      current_progress && !is_unlocked ? h("span", { class: "facts" }, meter(current_progress.current, current_progress.total, texts.achievements), texts.progress(current_progress.current, current_progress.total)) : null,
      h("span", { class: "facts" }, rarity)),
    h("span", { class: "state" }, is_unlocked ? `✓ ${one.unlocked_at ? texts.unlockedWhen(format.ago(one.unlocked_at)) : ""}` : texts.locked));
}

function icon(url) {
  return url ? h("img", { src: url, alt: "", width: "48", height: "48" }) : h("span", { class: "no-icon", "aria-hidden": "true" }, "?");
}

/** The achievement that play unlocks next. */
export function nextOf(achievements) {
  return achievements.find((one) => !one.attributes.is_unlocked);
}

/** What the game does: an unlock waits in the queue of the device where the service can't be reached. */
export async function unlock(app, { id, attributes }) {
  await app.client.offline.addAchievement({ achievement_id: id, unlocked: true, device_id: app.deviceId });
  const results = await sendWaiting(app);
  const refused = results.find((one) => one.result === "rejected" && one.entry.achievement?.achievement_id === id);
  if (refused) throw new RefusedWork(refused.code);
  app.toasts.show(app.texts.unlocked(attributes.name ?? app.texts.hiddenAchievement));
}
