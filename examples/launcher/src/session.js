/** The client of this window: its player, its device, and the tokens that the demo issues. */

import { LibraryClient, WebQueueStore } from "../vendor/client/index.js";
import { windowOf } from "./place.js";

export async function openSession(language) {
  const config = await answerOf(await fetch("demo/config"));
  const { player, device, deviceId, seconds } = windowOf(location.search, config.players);
  const tokenOf = async (userId, lifetime = seconds) =>
    (await demo("token", { user_id: userId, seconds: lifetime })).token;
  const clientOf = (userId, options = {}) => new LibraryClient(config.api, () => tokenOf(userId), { language, userId, ...options });
  const queue = new WebQueueStore(localStorage, `gameshelf:queue:${player.user_id}:${deviceId}:`);
  const client = clientOf(player.user_id, { deviceId, queue, retries: { totalSeconds: 20 } });
  return { config, player, device, deviceId, client, clientOf, nameOf: (userId) => nameOf(config, userId, language) };
}

/** A call of the demo's buttons. */
export async function demo(action, body) {
  const headers = { "Content-Type": "application/json" };
  return answerOf(await fetch(`demo/${action}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answerOf(response) {
  const document = await response.json();
  if (!response.ok) throw new Error(document.error);
  return document;
}

function nameOf(config, userId, language) {
  return config.players.find((one) => one.user_id === userId)?.name[language];
}
