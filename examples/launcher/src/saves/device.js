/** What this device has of a save: in `localStorage`, where a game has a folder. */

const keyOf = (app, productId) => `gameshelf:save:${app.player.user_id}:${app.deviceId}:${productId}`;

/** `{ version, files }`; version 0 if nothing was saved or loaded here. */
export function stateOf(app, productId) {
  return JSON.parse(localStorage.getItem(keyOf(app, productId)) ?? '{"version": 0, "files": {}}');
}

export function keep(app, productId, state) {
  localStorage.setItem(keyOf(app, productId), JSON.stringify(state));
}
