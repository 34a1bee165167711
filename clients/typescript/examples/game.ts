// A game: `node game.js API TOKEN PRODUCT FOLDER`. It plays, unlocks and saves, with and without the network.
import { readFile, writeFile } from "node:fs/promises";
import { LibraryClient, LibraryError, singleFile } from "@gameshelf/client";
import { FileQueueStore } from "@gameshelf/client/node";

const [api = "", token = "", product = "", folder = ""] = process.argv.slice(2);
const [file, device_id] = [`${folder}/save.json`, "deck-7"];
const queue = new FileQueueStore(`${folder}/queue`);
const client = new LibraryClient(api, token, { deviceId: device_id, queue, retries: { tries: 2, totalSeconds: 5 } });

/** The save of this device, or the cloud's if that is newer. Without a network the game begins with what it has. */
async function begin() {
  const here = JSON.parse(await readFile(file, "utf-8").catch(() => '{"score": 0, "version": 0, "isSaved": true}'));
  const [save] = here.isSaved ? await client.saves.listSaves({ product_id: product }).all().catch(later) : [];
  if (!save || save.attributes.version === here.version) return here;
  const loaded = await client.saves.download(save.id);
  const { score } = JSON.parse(new TextDecoder().decode(singleFile(loaded)));
  await client.saves.reportSynced(save.id, { version: loaded.version, device_id });
  return { score, version: loaded.version, isSaved: true };
}

/** Everything that can wait for the network does, and counts once. */
async function end(score: number, version: number) {
  await writeFile(file, JSON.stringify({ score, version, isSaved: false }));
  const { results } = await client.offline.flush();
  for (const { entry, result, code } of results) console.log(entry.kind, result, code ?? "");
  const bytes = new TextEncoder().encode(JSON.stringify({ score }));
  const saved = await client.saves.upload({ product_id: product, save_slot_name: "main" }, bytes).catch(later);
  if ("result" in saved) console.log("saved:", saved.result); // "conflict": both are kept, and the player decides
  const head = "save" in saved ? saved.save?.attributes.version : undefined;
  if (head) await writeFile(file, JSON.stringify({ score, version: head, isSaved: true }));
}

function later(error: unknown): [] {
  if (!(error instanceof LibraryError && error.isTemporary)) throw error;
  console.log("later:", error.name);
  return [];
}

const state = await begin();
{
  await using _session = await client.play(product, { onNotice: (notice) => console.log(notice.kind) });
  state.score += 10; // here is the game
  await client.offline.addAchievement({ product_id: product, api_name: "FIRST", unlocked: true });
}
await end(state.score, state.version);
console.log("score:", state.score);
