/** What was played and unlocked without the service: sent, and shown where the service has refused it. */

import { h } from "./dom.js";
import { refusalText } from "./errors.js";
import { section } from "./parts/card.js";

/** Results that the player has been notified of: calls at the same time share a run of the queue, and so its results. */
const said = new WeakSet();

/** Sends what waits; the results. What was refused is said once, and listed on the first page. */
export async function sendWaiting(app) {
  const { results } = await app.client.offline.flush();
  if (!said.has(results) && results.some((one) => one.result === "rejected")) app.toasts.show(app.texts.someRefused, "warning");
  said.add(results);
  return results;
}

/** What the service has refused, of this player on this device. */
export async function refusedWork(app) {
  return (await app.client.offline.entries()).filter((entry) => entry.code !== undefined);
}

export function refusedSection(app, entries) {
  if (entries.length === 0) return null;
  const { texts, client } = app;
  const row = (entry) => {
    const name = nameOf(app, entry);
    const retry = app.act(async () => {
      await client.offline.retry(entry.id);
      await app.sendWaiting();
    });
    const button = (label, key, onclick) => h("button", { "data-key": `${key}-${entry.id}`, "aria-label": `${label}: ${name}`, onclick }, label);
    return h("li", { class: "attention" }, h("span", { class: "grow" }, h("strong", {}, name), h("br"), h("span", { class: "facts" }, refusalText(texts, entry.code))),
      button(texts.tryAgain, "retry", retry), button(texts.remove, "discard", app.act(() => client.offline.discard(entry.id))));
  };
  return section(texts.refusedWork, h("ul", { class: "list" }, entries.map(row)));
}

function nameOf(app, entry) {
  const { texts, format } = app;
  if (entry.kind === "achievement") return `${texts.achievement}${entry.achievement.api_name ? `: ${entry.achievement.api_name}` : ""}`;
  const [product, time] = entry.kind === "end" ? [entry.product_id, entry.endedAt] : [entry.session.product_id, entry.session.end_time];
  return `${texts.sessionTime}: ${app.titleOf(product)}, ${format.ago(new Date(time).toISOString())}`;
}
