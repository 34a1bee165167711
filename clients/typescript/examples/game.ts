// A game: `node game.js API TOKEN PRODUCT FOLDER`. It plays, unlocks and saves, with and without the network.
import { readFile, rename, writeFile } from "node:fs/promises";
import { LibraryClient, LibraryError, singleFile } from "@gameshelf/client";
import { FileQueueStore } from "@gameshelf/client/node";

const [api = "", token = "", product = "", folder = ""] = process.argv.slice(2);
const [file, device_id, save_slot_name] = [`${folder}/save.json`, "deck-7", "main"];
const queue = new FileQueueStore(`${folder}/queue`);
const client = new LibraryClient(api, token, { deviceId: device_id, queue, retries: { tries: 2, totalSeconds: 5 } });
const keep = (state: object) => writeFile(`${file}.new`, JSON.stringify(state)).then(() => rename(`${file}.new`, file));

function later(error: unknown): [] {
  if (!(error instanceof LibraryError && error.isTemporary)) throw error;
  console.log("later:", error.name);
  return [];
}

// The save of this device, or the cloud's if that is newer. Without a network the game begins with what it has.
let state = JSON.parse(await readFile(file, "utf-8").catch(() => '{"score": 0, "version": 0, "isSaved": true}'));
const saves = state.isSaved ? await client.saves.listSaves({ product_id: product }).all().catch(later) : [];
for (const { id, attributes } of saves.filter((one) => one.attributes.slot_name === save_slot_name)) {
  const loaded = attributes.version === state.version ? [] : await client.saves.download(id).catch(later);
  if (!("version" in loaded)) continue;
  state = { ...JSON.parse(new TextDecoder().decode(singleFile(loaded))), version: loaded.version, isSaved: true };
  await keep(state); // and only then reported
  await client.saves.reportSynced(id, { version: loaded.version, device_id }).catch(later);
}
const session = await client.play(product, { onNotice: (notice) => console.log(notice.kind) });
state.score += 10; // here is the game
await client.offline.addAchievement({ product_id: product, api_name: "FIRST", unlocked: true });
await keep({ ...state, isSaved: false });
await session.end();
// Everything that can wait for the network does, and counts once. `version` is what was played from.
for (const one of (await client.offline.flush()).results) console.log(one.entry.kind, one.result, one.code ?? "");
const slot = { product_id: product, save_slot_name, base_version: state.version };
const bytes = new TextEncoder().encode(JSON.stringify({ score: state.score }));
const saved = await client.saves.upload(slot, bytes).catch(later);
if ("result" in saved) console.log("saved:", saved.result); // "conflict": both are kept, and the player decides
if ("save" in saved && saved.save) await keep({ ...state, version: saved.save.attributes.version, isSaved: true });
console.log("score:", state.score);
