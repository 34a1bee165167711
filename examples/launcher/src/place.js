/** Who uses this window, on which device, and which page it shows. Plain values, no I/O. */

const PAGES = ["home", "library", "game", "wishlist", "family"];

/** The page of a hash: `#/game/ID` is `{ page: "game", id: "ID" }`. */
export function placeOf(hash) {
  const [page, id] = hash.replace(/^#\/?/, "").split("/");
  if (!PAGES.includes(page) || (page === "game") !== Boolean(id)) return { page: "home" };
  return id ? { page, id: decodeURIComponent(id) } : { page };
}

/** The player and the device of an address: `?player=anna&device=deck`. */
export function windowOf(search, players) {
  const query = new URLSearchParams(search);
  const player = players.find(({ name }) => name.en.toLowerCase() === query.get("player")) ?? players[0];
  const device = query.get("device") === "deck" ? "deck" : "pc";
  const seconds = Number(query.get("token_seconds")) || 3600;
  return { player, device, deviceId: device === "deck" ? "steam-deck" : `${keyOf(player)}-pc`, seconds };
}

/** The address of another window. */
export function addressOf(player, device, hash = "#/home") {
  return `?player=${keyOf(player)}&device=${device}${hash}`;
}

export function keyOf(player) {
  return player.name.en.toLowerCase();
}
