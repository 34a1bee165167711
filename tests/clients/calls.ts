// Calls a service with the generated client: `calls.js URL TOKEN PRODUCT`. Prints what it got as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./library.js";

declare const process: { argv: string[]; exit(code: number): never };

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

console.log(
  JSON.stringify({
    product_id: item.attributes.product_id,
    acquisition_type: item.attributes.acquisition_type,
    category: category.attributes.name,
    is_hidden: present(changed.data, "change").data.attributes.is_hidden,
    hidden: present(hidden.data, "list").data.map((each) => each.attributes.product_id),
    absent: code,
    refused: present(refused.error?.errors[0], "refusal").title !== "",
  }),
);
