import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../src/texts/en.js";
import { sendWaiting } from "../src/waiting.js";
import { LibraryClient, MemoryQueueStore } from "../vendor/client/index.js";

test("what the service refuses is said once, however often what waits is sent at that time", async () => {
  const shown = [];
  const refused = { attributes: { result: "rejected", code: "ACHIEVEMENT_NOT_FOUND" } };
  const client = new LibraryClient("http://service.test", "token", {
    queue: new MemoryQueueStore(),
    fetch: async (_, { body }) => Response.json({ data: JSON.parse(body).data.attributes.achievements.map(() => refused) }),
  });
  const app = { client, texts: en, toasts: { show: (text) => shown.push(text) } };
  const add = () => client.offline.addAchievement({ product_id: "p", api_name: "UNKNOWN", unlocked: true });
  await add();
  await Promise.all([sendWaiting(app), sendWaiting(app), sendWaiting(app)]);
  assert.deepEqual(shown, [en.someRefused]);
  const first = sendWaiting(app); // nothing waits
  await add();
  await Promise.all([first, sendWaiting(app), sendWaiting(app)]);
  assert.deepEqual(shown, [en.someRefused, en.someRefused]);
});
