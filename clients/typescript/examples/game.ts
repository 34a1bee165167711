// A game: `node game.js API TOKEN PRODUCT FOLDER`. It plays, unlocks and saves, with and without the network.
import { readFile, writeFile } from "node:fs/promises";
import { LibraryClient, LibraryError, singleFile } from "@gameshelf/client";
import { FileQueueStore } from "@gameshelf/client/node";

const [api = "", token = "", product = "", folder = ""] = process.argv.slice(2);
const [file, device_id] = [`${folder}/save.json`, "deck-7"];
const queue = new FileQueueStore(`${folder}/queue`);
const client = new LibraryClient(api, token, { deviceId: device_id, queue, retries: { tries: 2, totalSeconds: 5 } });

function later(error: unknown): [] {
  if (!(error instanceof LibraryError && error.isTemporary)) throw error;
  console.log("later:", error.name);
  return [];
}

// The save of this device, or the cloud's if that is newer. Without a network the game begins with what it has.
let state = JSON.parse(await readFile(file, "utf-8").catch(() => '{"score": 0, "version": 0, "isSaved": true}'));
const [save] = state.isSaved ? await client.saves.listSaves({ product_id: product }).all().catch(later) : [];
if (save && save.attributes.version !== state.version) {
  const loaded = await client.saves.download(save.id);
  await client.saves.reportSynced(save.id, { version: loaded.version, device_id });
  state = { ...JSON.parse(new TextDecoder().decode(singleFile(loaded))), version: loaded.version };
}

{
  await using _session = await client.play(product, { onNotice: (notice) => console.log(notice.kind) });
  state.score += 10; // here is the game
  await client.offline.addAchievement({ product_id: product, api_name: "FIRST", unlocked: true });
}

// Everything that can wait for the network does, and counts once.
await writeFile(file, JSON.stringify({ ...state, isSaved: false }));
for (const one of (await client.offline.flush()).results) console.log(one.entry.kind, one.result, one.code ?? "");
const bytes = new TextEncoder().encode(JSON.stringify({ score: state.score }));
const saved = await client.saves.upload({ product_id: product, save_slot_name: "main" }, bytes).catch(later);
if ("result" in saved) console.log("saved:", saved.result); // "conflict": both are kept, and the player decides
const version = "save" in saved ? saved.save?.attributes.version : undefined;
if (version) await writeFile(file, JSON.stringify({ ...state, version, isSaved: true }));
console.log("score:", state.score);
