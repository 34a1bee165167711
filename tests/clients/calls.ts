// Calls a service with the generated client: `calls.js URL TOKEN PRODUCT`. Prints what it got as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./library.js";

declare const process: { argv: string[]; exit(code: number): never };

const FILES: Record<string, string> = { "saves/one.dat": "one", "saves/мир/two.dat": "two" };

type LibraryItem = components["schemas"]["LibraryItem"];
type ErrorCode = components["schemas"]["ErrorCode"];

const [url = "", token = "", product = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    console.error(`no ${what}`);
    process.exit(1);
  }
  return value;
}

const listed = await client.GET("/api/v1/library/items", {
  params: { query: { product_ids: [product] }, header: { "Accept-Language": "en" } },
});
const item: LibraryItem = present(listed.data?.data[0], "item");

const created = await client.POST("/api/v1/library/categories", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { data: { attributes: { name: "Puzzles" } } },
});
const category = present(created.data?.data, "category");

const changed = await client.PATCH("/api/v1/library/items/{item_id}", {
  params: { path: { item_id: item.id } },
  body: { data: { attributes: { is_hidden: true, category_ids: [category.id] } } },
});
const hidden = await client.GET("/api/v1/library/items", { params: { query: { include_hidden: "only" } } });

const absent = await client.GET("/api/v1/library/items/{item_id}", {
  params: { path: { item_id: crypto.randomUUID() } },
});
const code: ErrorCode = present(absent.error?.errors[0], "error").code;

const refused = await client.POST("/api/v1/library/items", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { data: { attributes: { product_id: crypto.randomUUID() } } },
});

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Saves a set of files and downloads it. */
async function saveFiles() {
  const entries: components["schemas"]["FileEntry"][] = [];
  const byHash: Record<string, string> = {};
  for (const [path, text] of Object.entries(FILES)) {
    const sha256 = await hashOf(text);
    byHash[sha256] = text;
    entries.push({ path, size_bytes: new TextEncoder().encode(text).length, sha256 });
  }
  const begun = await client.POST("/api/v1/library/savegames/uploads", {
    body: { data: { attributes: { product_id: product, save_slot_name: "world", files: entries, device_id: "pc" } } },
  });
  const upload = present(begun.data?.data, "upload");
  for (const one of upload.attributes.uploads) {
    const { "content-length": _, ...headers } = one.headers; // fetch sets it itself
    const body = present(byHash[one.sha256], "content");
    const sent = await fetch(one.upload_url ?? "", { method: one.method ?? "", headers, body });
    if (!sent.ok) throw new Error(await sent.text());
  }
  const commit = () =>
    client.POST("/api/v1/library/savegames/uploads/{upload_id}/commit", { params: { path: { upload_id: upload.id } } });
  let committed = await commit();
  while (committed.response.status === 202) committed = await commit();
  const done = present(committed.data, "commit");
  if (!("result" in done.meta)) throw new Error("the upload is not verified");
  const save = done.data;
  const path = { savegame_id: save.id };
  const found = await client.POST("/api/v1/library/savegames/{savegame_id}/download", {
    params: { path },
    body: { data: { attributes: {} } },
  });
  let loaded = 0;
  for (const file of present(found.data, "download").data.attributes.files) {
    const text = await (await fetch(file.download_url ?? "")).text();
    if (text === FILES[file.path ?? ""]) loaded += 1;
  }
  const listed = await client.GET("/api/v1/library/savegames/{savegame_id}/versions/{version_number}/files", {
    params: { path: { ...path, version_number: 1 } },
  });
  const plan = await client.POST("/api/v1/library/savegames/plan", {
    body: { data: { attributes: { product_id: product, device_id: "deck", intent: "launch" } } },
  });
  return {
    result: done.meta.result,
    file_count: "file_count" in save.attributes ? save.attributes.file_count : null,
    is_loaded: loaded === Object.keys(FILES).length,
    paths: present(listed.data, "files").data.map((file) => file.attributes.path),
    plan: present(plan.data, "plan").data.attributes.slots.map((slot) => slot.action),
  };
}

console.log(
  JSON.stringify({
    product_id: item.attributes.product_id,
    acquisition_type: item.attributes.acquisition_type,
    category: category.attributes.name,
    is_hidden: present(changed.data, "change").data.attributes.is_hidden,
    hidden: present(hidden.data, "list").data.map((each) => each.attributes.product_id),
    absent: code,
    refused: present(refused.error?.errors[0], "refusal").title !== "",
    saved: await saveFiles(),
  }),
);
