import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { formats } from "../src/format.js";
import { Play } from "../src/play.js";
import { en } from "../src/texts/en.js";
import { LibraryClient, MemoryQueueStore } from "../vendor/client/index.js";

const opened = [];
afterEach(async () => {
  for (const { play } of opened.splice(0)) for (const { productId } of play.all) await play.stop(productId);
});

/** A window's games at the client, whose requests a script answers: by the last part of their path. */
async function playing(answers) {
  const [asked, shown] = [[], []];
  let number = 0;
  const client = new LibraryClient("http://service.test", "token", {
    deviceId: "anna-pc",
    queue: new MemoryQueueStore(),
    retries: { tries: 1 },
    fetch: async (url) => {
      const name = url.split("/").pop();
      asked.push(name);
      if (answers[name]) return answers[name]();
      if (name === "heartbeat") return new Response(null, { status: 204 });
      number += name === "start" ? 1 : 0;
      return Response.json({ data: { id: `s${number}`, attributes: { end_reason: null } } }, { status: name === "start" ? 201 : 200 });
    },
  });
  const app = { client, texts: en, format: formats("en"), toasts: { show: (text) => shown.push(text) }, refreshSoon() {}, sent: 0 };
  app.sendWaiting = async () => {
    app.sent += 1;
    await client.offline.flush();
  };
  const play = new Play(app);
  opened.push({ play });
  await play.start("p");
  return { app, play, asked, shown, client };
}

const ended = (end_reason, session_id = "s1") => ({ event_type: "playtime.session.ended", payload: { product_id: "p", session_id, end_reason } });
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const refused = (end_reason) => () =>
  Response.json({ errors: [{ code: "SESSION_ALREADY_ENDED", title: "t", detail: "d", meta: { end_reason, end_time: "2026-11-28T12:00:00Z" } }] }, { status: 409 });

test("a session that timed out is continued by another one, and the game still runs", async () => {
  const known = () => Response.json({ data: { id: "s1", attributes: { end_reason: "timeout", end_time: "2026-11-28T12:00:00Z" } } });
  const { play, asked, shown } = await playing({ heartbeat: refused("timeout"), s1: known });
  play.receive(ended("timeout"));
  await settled();
  assert.equal(play.of("p").session.sessionId, "s2");
  // Then the end of the first one is sent. Nothing is shown: the game continues, and the network was never gone.
  assert.deepEqual(asked, ["start", "heartbeat", "start", "s1"]);
  assert.deepEqual(shown, []);
});

test("a session that was ended elsewhere is over, and one that this window ends is no news", async () => {
  const { play, shown } = await playing({});
  play.receive(ended("completed", "of-another-device"));
  assert.ok(play.of("p"));
  play.receive(ended("access_revoked"));
  assert.equal(play.of("p"), undefined);
  assert.deepEqual(shown, [`${en.sessionOver}. ${en.overReasons.access_revoked}`]);
  const own = await playing({});
  const stopped = own.play.stop("p");
  own.play.receive(ended("completed"));
  await stopped;
  assert.deepEqual([own.shown, own.play.of("p"), own.app.sent], [[], undefined, 1]);
});

test("what waits is sent when a session is online again", async () => {
  let isAway = true;
  const heartbeat = () => {
    if (isAway) throw new TypeError("Failed to fetch");
    return new Response(null, { status: 204 });
  };
  const { app, play, client, shown } = await playing({ heartbeat });
  await play.of("p").session.beat();
  isAway = false;
  await play.of("p").session.beat();
  assert.deepEqual([shown, app.sent], [[en.sessionOffline, en.sessionOnline], 1]);
  assert.deepEqual(await client.offline.entries(), []);
});

test("a seat that is reclaimed is announced once, however often it is reported", async () => {
  const { play, shown } = await playing({});
  const lost_at = new Date(Date.now() + 120_000).toISOString();
  const message = { event_type: "family.seat.reclaimed", payload: { product_id: "p", lost_at } };
  play.receive(message);
  play.receive({ ...message, payload: { product_id: "p", lost_at: lost_at.replace("Z", "+00:00") } });
  await settled();
  assert.deepEqual(shown, [en.seatReclaimed("2:00")]);
  assert.equal(play.of("p").lostAt, lost_at);
});

test("a game whose end can be kept nowhere is not lost from the window", async () => {
  const { play, client } = await playing({
    end: () => {
      throw new TypeError("Failed to fetch");
    },
  });
  const { addEnd } = client.offline;
  client.offline.addEnd = () => Promise.reject(new DOMException("it is full", "QuotaExceededError"));
  await assert.rejects(play.stop("p"), /it is full/);
  assert.ok(play.of("p"));
  client.offline.addEnd = addEnd;
  await play.stop("p");
  assert.equal((await client.offline.entries()).length, 1);
});
