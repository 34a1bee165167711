import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cutBefore, FaultProxy } from "./faults.js";
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

test("a newer save is taken, and neither another slot nor a broken download costs a score", async () => {
  const { saves } = clientOf(player, SERVICE, player.token, { deviceId: "pc" });
  const save = (save_slot_name: string, score: number, base_version: number) =>
    saves.upload(
      { product_id: player.product, save_slot_name, base_version },
      new TextEncoder().encode(JSON.stringify({ score })),
    );
  await save("main", 100, 2);
  await save("other", 999, 0);
  assert.deepEqual((await played()).slice(-2), ["saved: head", "score: 110"]);
  await save("main", 200, 4);
  proxy.next(/^POST .*\/download$/, cutBefore, cutBefore);
  // It plays from what it has, and says so: both are kept.
  assert.deepEqual((await played()).slice(-2), ["saved: conflict", "score: 120"]);
});

test("a conflict is left as soon as it is resolved, whichever side was chosen", async () => {
  const pc = clientOf(player, SERVICE, player.token, { deviceId: "pc" }).saves;
  const resolve = async (resolution: "keep_cloud" | "keep_local") => {
    const [conflict, ...others] = await pc.listConflicts({ product_id: player.product }).all();
    assert.ok(conflict && others.length === 0);
    await pc.resolveConflict(conflict.id, { resolution });
  };
  // Until then the game plays its own side on, which stays the same conflict.
  assert.deepEqual((await played()).slice(-2), ["saved: conflict", "score: 130"]);
  await resolve("keep_cloud");
  assert.deepEqual((await played()).slice(-2), ["saved: head", "score: 210"]);
  // The same when it has been played without the network since then: that is one more conflict, and not one a run.
  const head = (await pc.listSaves().all()).find((one) => one.attributes.slot_name === "main");
  const about = { product_id: player.product, save_slot_name: "main", base_version: head?.attributes.version ?? 0 };
  await pc.upload(about, new TextEncoder().encode(JSON.stringify({ score: 300 })));
  proxy.cut({ stays: true });
  assert.equal((await played()).at(-1), "score: 220");
  proxy.restore();
  assert.deepEqual((await played()).slice(-2), ["saved: conflict", "score: 230"]);
  await resolve("keep_local");
  assert.deepEqual((await played()).slice(-2), ["saved: head", "score: 240"]);
});

test("the first screen has what was played, saved and unlocked", async () => {
  const { data } = await clientOf(player, SERVICE).home();
  assert.match(JSON.stringify(data), new RegExp(player.product));
});
