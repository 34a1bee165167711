// A game: `node game.js API TOKEN PRODUCT FOLDER`. It plays, unlocks and saves, with and without the network.
import { readFile, rename, writeFile } from "node:fs/promises";
import { LibraryClient, LibraryError, singleFile } from "@gameshelf/client";
import { FileQueueStore } from "@gameshelf/client/node";

const [api = "", token = "", product_id = "", folder = ""] = process.argv.slice(2);
const [file, device_id, queue] = [`${folder}/save.json`, "deck-7", new FileQueueStore(`${folder}/queue`)];
const client = new LibraryClient(api, token, { deviceId: device_id, queue, retries: { tries: 2, totalSeconds: 5 } });
const keep = (state: object) => writeFile(`${file}.new`, JSON.stringify(state)).then(() => rename(`${file}.new`, file));
const isMain = (one: { attributes: { slot_name: string } }) => one.attributes.slot_name === "main";

function later(error: unknown) {
  if (!(error instanceof LibraryError && error.isTemporary)) throw error;
  console.log("later:", error.name);
}

// The save of this device, or the cloud's if that is newer: not while the player has to decide between the two.
let state = JSON.parse(await readFile(file, "utf-8").catch(() => '{"score": 0, "version": 0, "isSaved": true}'));
async function update() {
  const save = (await client.saves.listSaves({ product_id }).all()).find(isMain);
  if (!save || save.attributes.version === state.version) return;
  if ((await client.saves.listConflicts({ product_id }).all()).some(isMain)) return;
  const loaded = await client.saves.download(save.id);
  state = { ...JSON.parse(new TextDecoder().decode(singleFile(loaded))), version: loaded.version, isSaved: true };
  await keep(state); // and only then reported
  await client.saves.reportSynced(save.id, { version: loaded.version, device_id });
}
if (state.isSaved) await update().catch(later); // without a network the game begins with what it has
const session = await client.play(product_id, { onNotice: (notice) => console.log(notice.kind) });
state.score += 10; // here is the game
await client.offline.addAchievement({ product_id, api_name: "FIRST", unlocked: true });
await keep({ ...state, isSaved: false });
await session.end();
// Everything that can wait for the network does, and counts once. `version` is what was played from.
for (const one of (await client.offline.flush()).results) console.log(one.entry.kind, one.result, one.code ?? "");
const slot = { product_id, save_slot_name: "main", base_version: state.version };
const saved = await client.saves.upload(slot, Buffer.from(JSON.stringify({ score: state.score }))).catch(later);
if (saved) await keep({ ...state, version: saved.ownVersion ?? state.version, isSaved: true });
if (saved) console.log("saved:", saved.result); // "conflict": both are kept, and the player decides
console.log("score:", state.score);
