/** The made-up game that is saved: a few small files, of which each device changes others. Plain values, no I/O. */

export const SLOT = "campaign";

const PLACES = ["harbour", "old town", "lighthouse", "ice field", "station", "summit"];

/** The files of a new game. */
export function newGame() {
  return { "saves/hero.json": { level: 1, gold: 10 }, "saves/world.json": { place: PLACES[0], day: 1 }, "saves/journal.json": { pages: 1 } };
}

/** The files after some play: a PC levels the hero, a handheld explores the world, and both write the journal. */
export function played(files, device) {
  const { "saves/hero.json": hero, "saves/world.json": world, "saves/journal.json": journal } = { ...newGame(), ...files };
  const day = world.day + 1;
  return {
    ...files,
    "saves/hero.json": device === "deck" ? hero : { level: hero.level + 1, gold: hero.gold + 25 },
    "saves/world.json": device === "deck" ? { place: PLACES[(day - 1) % PLACES.length], day } : world,
    "saves/journal.json": { pages: journal.pages + 1, by: device },
  };
}

/** The bytes of the files, by path. */
export function encoded(files) {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, new TextEncoder().encode(JSON.stringify(content))]),
  );
}

/** The files of downloaded bytes; a file that is no JSON is left out. */
export function decoded(downloaded) {
  const files = {};
  for (const { path, bytes } of downloaded) {
    try {
      if (path && bytes) files[path] = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      // Another program has saved it.
    }
  }
  return files;
}
