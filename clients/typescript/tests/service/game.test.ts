import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FaultProxy } from "./faults.js";
import { clientOf, createPlayer, nameGame, type Player, SERVICE, until } from "./testbed.js";

const GAME = fileURLToPath(new URL("../../examples/game.js", import.meta.url));
let player: Player;
let proxy: FaultProxy;
let folder: string;

before(async () => {
  player = await createPlayer();
  await nameGame(player.product, "FIRST");
  proxy = await FaultProxy.before(SERVICE);
  folder = await mkdtemp(join(tmpdir(), "game-"));
  const { achievements } = clientOf(player, SERVICE);
  await until(async () => ((await achievements.listAchievements(player.product)).data.length ? true : undefined));
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Runs the game of the documentation once; the lines that it prints. */
function played(): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const game = spawn(process.execPath, [GAME, `${proxy.url}/api/v1/library`, player.token, player.product, folder]);
    let text = "";
    game.stdout.on("data", (chunk) => {
      text += chunk;
    });
    game.stderr.pipe(process.stderr);
    game.on("exit", (code) => (code === 0 ? resolve(text.trim().split("\n")) : reject(new Error(text))));
  });
}

test("the game of the documentation plays with and without the network", async () => {
  assert.deepEqual(await played(), ["achievement accepted ", "saved: head", "score: 10"]);
  proxy.cut({ stays: true });
  const away = "later: LibraryUnreachable";
  assert.deepEqual(await played(), [away, "offline", away, "score: 20"]);
  proxy.restore();
  const lines = await played();
  assert.deepEqual(lines.slice(-2), ["saved: head", "score: 30"]);
  assert.ok(!lines.some((line) => line.includes("rejected")), lines.join("\n"));
  const client = clientOf(player, SERVICE);
  const [unlocked] = (await client.achievements.listAchievements(player.product)).data;
  assert.equal(unlocked?.attributes.is_unlocked, true);
  const [save] = await client.saves.listSaves().all();
  assert.equal(save?.attributes.version, 2);
});

test("the first screen has what was played, saved and unlocked", async () => {
  const { data } = await clientOf(player, SERVICE).home();
  assert.match(JSON.stringify(data), new RegExp(player.product));
});
