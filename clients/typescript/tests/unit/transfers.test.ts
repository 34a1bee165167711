import assert from "node:assert/strict";
import { test } from "node:test";
import type { DownloadOptions } from "../../src/index.js";
import { codeOf, storeMeaning } from "../../src/saves/answers.js";
import { sha256 } from "../../src/saves/contents.js";
import { inParallel } from "../../src/saves/parallel.js";
import { answer, refusal, type Sent, scripted } from "../scripted.js";

test("an answer of the store is sent again, signed again, or the end", () => {
  const cases = [
    [200, "", "done"],
    [408, "", "again"],
    [429, "", "again"],
    [503, "SlowDown", "again"],
    [400, "RequestTimeout", "again"],
    [400, "ExpiredToken", "sign"],
    [400, "BadDigest", "sign"],
    [400, "EntityTooLarge", "refused"],
    [400, "", "refused"],
    [401, "", "sign"],
    [403, "RequestTimeTooSkewed", "sign"],
    [403, "QuotaExceeded", "refused"],
    [404, "NoSuchUpload", "sign"],
    [307, "", "refused"],
    [0, "", "refused"], // a redirection in a browser
  ] as const;
  for (const [status, code, meaning] of cases) assert.equal(storeMeaning(status, code), meaning, `${status} ${code}`);
  assert.equal(codeOf("<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"), "NoSuchUpload");
  assert.equal(codeOf("<html>Bad gateway"), "");
});

test("the first failure cancels what still runs, and begins nothing else", async () => {
  const [begun, cancelled]: [number[], number[]] = [[], []];
  const work = (element: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      begun.push(element);
      if (element === 2) return reject(new Error("full"));
      if (element === 1) return resolve();
      signal.addEventListener("abort", () => {
        cancelled.push(element);
        reject(signal.reason);
      });
    });
  await assert.rejects(inParallel([1, 2, 3, 4, 5, 6], 3, undefined, work), /full/);
  assert.deepEqual(
    [begun, cancelled],
    [
      [1, 2, 3, 4],
      [3, 4],
    ],
  );
});

test("a caller that cancels ends all of them with its reason", async () => {
  const controller = new AbortController();
  const work = (_: number, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const done = inParallel([1, 2, 3], 2, controller.signal, work);
  controller.abort(new Error("enough"));
  await assert.rejects(done, /enough/);
});

/** A download of one file, by what the store answers to each request for its bytes. */
async function downloading(answers: (() => Response)[], have: string[] = [], options: DownloadOptions = {}) {
  const bytes = new TextEncoder().encode("content");
  const hash = await sha256(bytes);
  const asked: Sent[] = [];
  const inits: RequestInit[] = [];
  const { client } = scripted([], "token", {
    retries: { tries: 2 },
    fetch: async (url, init) => {
      if (url.startsWith("http://store.test")) {
        inits.push(init);
        return (answers.shift() ?? (() => new Response(bytes)))();
      }
      asked.push({ url, method: "POST", headers: {}, body: init.body as string });
      const file = { path: "a.dat", sha256: hash, size_bytes: bytes.length, download_url: `http://store.test/${hash}` };
      const extra = have.map((one, index) => ({ ...file, path: `${index}.dat`, sha256: one }));
      return answer({ data: { attributes: { version: 1, files: [file, ...extra] } } });
    },
  });
  const save = client.saves.download("s", { have, ...options });
  return { save, asked, inits };
}

const xml = (status: number, code: string) => () => new Response(`<Error><Code>${code}</Code></Error>`, { status });

test("a signature that has expired is asked for again, a slow request is sent again, and a 400 ends it", async () => {
  const expired = await downloading([xml(400, "ExpiredToken"), xml(404, "NoSuchKey"), xml(400, "RequestTimeout")]);
  const { files } = await expired.save;
  assert.equal(new TextDecoder().decode(files[0]?.bytes), "content");
  assert.deepEqual([expired.asked.length, expired.inits.length], [3, 4]);
  const refused = await downloading([xml(400, "InvalidRequest")]);
  await assert.rejects(refused.save, /400 InvalidRequest/);
  assert.equal(refused.inits[0]?.redirect, "manual");
});

test("what a display of progress fails at ends the transfer, also later, and not the program", async () => {
  const failures = [
    () => {
      throw new Error("no such bar");
    },
    () => Promise.reject(new Error("no such bar")),
  ];
  for (const onProgress of failures) {
    const { save } = await downloading([], [], { onProgress });
    await assert.rejects(save, /no such bar/);
  }
});

test("a device with more contents than a request may name leaves the others out by itself", async () => {
  const have = Array.from({ length: 1_200 }, (_, index) => index.toString(16).padStart(64, "0"));
  const { save, asked, inits } = await downloading([], have);
  const { files } = await save;
  const named = JSON.parse(asked[0]?.body ?? "").data.attributes.have;
  assert.deepEqual([named.length, asked.length, inits.length, files.length], [1_000, 1, 1, 1_201]);
});

test("an upload that the store refuses is not continued with its other files", async () => {
  const sent: string[] = [];
  const { client } = scripted([], "token", {
    fetch: async (url, init) => {
      const { pathname } = new URL(url);
      if (url.startsWith("http://store.test")) {
        sent.push(pathname);
        if (pathname === "/0") return new Response("<Code>QuotaExceeded</Code>", { status: 403 });
        return new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
      }
      if (!pathname.endsWith("/uploads")) return refusal(404, "SAVEGAME_NOT_FOUND");
      const { files } = JSON.parse(init.body as string).data.attributes;
      const uploads = files.map((file: object, index: number) => {
        const request = { method: "PUT", upload_url: `http://store.test/${index}`, headers: {}, parts: [] };
        return { ...file, ...request, part_size_bytes: null };
      });
      const attributes = { missing_count: files.length, missing_bytes: 8, uploads };
      return answer({ data: { id: "u", attributes } }, { status: 201 });
    },
  });
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}`, new Uint8Array([index])]));
  await assert.rejects(
    client.saves.uploadSet({ product_id: "p", save_slot_name: "world" }, files, { parallel: 3 }),
    /403 QuotaExceeded/,
  );
  assert.deepEqual(sent, ["/0", "/1", "/2"]);
});

test("a large upload is asked for again within a minute, whatever a proxy asks for", async () => {
  const soon = new Date(Date.now() + 86_400_000).toUTCString();
  const asked = ["5", "86400", soon, "-1", "0", undefined];
  const verifying = asked.map((text, index) =>
    answer(
      { data: { id: "u", attributes: {} }, meta: { verified_count: index } },
      { status: 202, headers: text === undefined ? {} : { "Retry-After": text } },
    ),
  );
  const begun = answer({ data: { id: "u", attributes: { missing_count: 0, missing_bytes: 0, uploads: [] } } });
  const done = answer({ data: { id: "s", attributes: { version: 3 } }, meta: { result: "head" } });
  const { client, pauses } = scripted([begun, ...verifying, done]);
  const saved = await client.saves.uploadSet({ product_id: "p", save_slot_name: "world" }, {});
  assert.deepEqual([saved.result, pauses], ["head", [5, 60, 60, 2, 2, 2]]);
});
