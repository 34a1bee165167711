import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { waitFor } from "../../src/http/limits.js";
import { ForeignAnswer, LibraryClient, LibraryRefusal, LibraryUnreachable, TokenUnavailable } from "../../src/index.js";
import { answer, ITEM, refusal, scripted } from "../scripted.js";

const NEW = { name: "Puzzles" };
const CREATED = () => answer({ data: { type: "userCategory", id: "c1", attributes: NEW } }, { status: 201 });

test("all tries of a call have the same key, and calls have different ones", async () => {
  const { client, sent, pauses } = scripted([
    new Error("cut"),
    refusal(503, "SERVICE_UNAVAILABLE"),
    CREATED(),
    CREATED(),
  ]);
  await client.library.createCategory(NEW);
  await client.library.createCategory(NEW);
  const keys = sent.map((one) => one.headers["Idempotency-Key"]);
  assert.equal(keys[0], keys[1]);
  assert.equal(keys[0], keys[2]);
  assert.notEqual(keys[2], keys[3]);
  assert.deepEqual(pauses, [0.5, 1]);
});

test("a key that the caller gives is kept over a retry and a refresh", async () => {
  const script = [new Error("cut"), refusal(401, "UNAUTHENTICATED"), CREATED()];
  const { client, sent } = scripted(script, (renew) => (renew ? "new" : "old"));
  await client.library.createCategory(NEW, { idempotencyKey: "from-a-queue" });
  assert.deepEqual([...new Set(sent.map((one) => one.headers["Idempotency-Key"]))], ["from-a-queue"]);
  assert.deepEqual(
    sent.map((one) => one.headers["Authorization"]),
    ["Bearer old", "Bearer old", "Bearer new"],
  );
});

test("requests that are refused together renew the token once", async () => {
  let renewals = 0;
  const renew = async (isRenewal: boolean) => {
    if (isRenewal) renewals += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    return `t${renewals}`;
  };
  const reply = (sent: { headers: Record<string, string> }) =>
    sent.headers["Authorization"] === "Bearer t0" ? refusal(401, "UNAUTHENTICATED") : answer({ data: ITEM });
  const { client } = scripted(
    Array.from({ length: 40 }, () => reply),
    renew,
  );
  await Promise.all(Array.from({ length: 20 }, (_, index) => client.library.getItem(String(index))));
  assert.equal(renewals, 1);
});

test("a second 401 is the caller's error", async () => {
  const script = [refusal(401, "UNAUTHENTICATED"), refusal(401, "UNAUTHENTICATED")];
  const { client, left } = scripted(script, (renew) => (renew ? "new" : "old"));
  await assert.rejects(client.family.listSeats(), (error) => error instanceof LibraryRefusal && error.status === 401);
  assert.equal(left.length, 0);
});

test("a token that cannot be renewed is refused at once", async () => {
  const { client, sent } = scripted([refusal(401, "UNAUTHENTICATED")]);
  await assert.rejects(client.family.listSeats(), LibraryRefusal);
  assert.equal(sent.length, 1);
});

test("a provider that fails is asked again by the next call", async () => {
  let asked = 0;
  const provider = async () => {
    asked += 1;
    if (asked === 1) throw new Error("the sign-in service is down");
    return "token";
  };
  const { client } = scripted([answer({ data: [] })], provider);
  await assert.rejects(
    client.family.listSeats(),
    (error) => error instanceof TokenUnavailable && error.isTemporary && /sign-in/.test(error.message),
  );
  assert.deepEqual((await client.family.listSeats()).data, []);
});

test("a provider that never answers costs a call no more than its time", async () => {
  let answerLate = (_: string) => {};
  const late = new Promise<string>((resolve) => {
    answerLate = resolve;
  });
  const { client, sent } = scripted([], () => late, { retries: { totalSeconds: 0.05 } });
  await assert.rejects(client.family.listSeats(), /TokenUnavailable: no token: no answer in time/);
  const cancelling = new AbortController();
  const call = client.family.listSeats({ retries: { totalSeconds: 60 }, signal: cancelling.signal });
  cancelling.abort(new Error("the player has left"));
  await assert.rejects(call, /the player has left/);
  answerLate("token");
  assert.equal(sent.length, 0);
});

test("what is no token is named, and is not sent", async () => {
  for (const wrong of [undefined, null, "", "two words", "tökén"]) {
    const { client } = scripted([], () => wrong as string);
    await assert.rejects(client.family.listSeats(), /the token provider gave/);
  }
});

test("a refusal has code, detail, pointer, typed meta and the request's id", async () => {
  const headers = { "X-Request-ID": "r1", "Retry-After": "3" };
  const { client } = scripted([refusal(409, "FAMILY_SEAT_BUSY", { meta: { held_by_user_id: "boris" }, headers })]);
  const error = await client.playtime.startSession({ product_id: "p" }).catch((caught: unknown) => caught);
  assert.ok(error instanceof LibraryRefusal);
  assert.ok(error.is("FAMILY_SEAT_BUSY"));
  assert.equal(error.meta.held_by_user_id, "boris");
  assert.deepEqual([error.status, error.requestId, error.retryAfterSeconds], [409, "r1", 3]);
  assert.equal(error.headers.get("retry-after"), "3");
  assert.ok(!error.isTemporary);
});

test("pages of a hotspot and of a proxy are not taken for answers", async () => {
  const html = (status: number) => new Response("<html>Sign in", { status, headers: { "Content-Type": "text/html" } });
  for (const response of [
    html(200),
    html(404),
    answer({ ok: true }),
    answer(["data"]),
    new Response("", { status: 200 }),
  ]) {
    const { client, sent } = scripted([response]);
    const error = await client.family.listSeats().catch((caught: unknown) => caught);
    assert.ok(error instanceof ForeignAnswer && error.isTemporary, String(error));
    assert.equal(sent.length, 1);
  }
});

test("a redirection is not followed, so the token goes nowhere else", async () => {
  const { client } = scripted([
    (_, init) => {
      assert.equal(init.redirect, "manual");
      return new Response(null, { status: 302, headers: { Location: "http://gate.test/" } });
    },
  ]);
  await assert.rejects(client.family.listSeats(), (error) => error instanceof ForeignAnswer && error.status === 302);
});

test("a proxy's 502 is retried, and reported as what it is at last", async () => {
  const { client, sent } = scripted(Array.from({ length: 5 }, () => new Response("Bad Gateway", { status: 502 })));
  await assert.rejects(client.family.listSeats(), (error) => error instanceof ForeignAnswer && error.status === 502);
  assert.equal(sent.length, 5);
});

test("a 500 is repeated for a call with a key, and not for a change without one", async () => {
  const keyed = scripted([refusal(500, "INTERNAL_ERROR"), CREATED()]);
  await keyed.client.library.createCategory(NEW);
  const plain = scripted([refusal(500, "INTERNAL_ERROR")]);
  await assert.rejects(plain.client.library.updateItem("i1", { is_hidden: true }), LibraryRefusal);
});

test("a body that breaks off is a failed try", async () => {
  const broken = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"data": ['));
          controller.error(new Error("terminated"));
        },
      }),
    );
  const { client, sent } = scripted([broken, answer({ data: [] })]);
  await client.family.listSeats();
  assert.equal(sent.length, 2);
});

test("what was to be deleted and is gone after a lost answer is deleted", async () => {
  const { client } = scripted([new Error("cut"), refusal(404, "CATEGORY_NOT_FOUND")]);
  assert.equal((await client.library.deleteCategory("c1")).response.status, 204);
  const first = scripted([refusal(404, "CATEGORY_NOT_FOUND")]);
  await assert.rejects(first.client.library.deleteCategory("c1"), LibraryRefusal);
});

test("a failed network is LibraryUnreachable with its cause after all tries", async () => {
  const cause = new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
  const { client, sent } = scripted([cause, cause, cause]);
  const error = await client.family.listSeats({ retries: { tries: 3 } }).catch((caught: unknown) => caught);
  assert.ok(error instanceof LibraryUnreachable && error.isTemporary);
  assert.match(error.message, /ECONNREFUSED/);
  assert.equal(sent.length, 3);
});

test("a try that takes too long is given up", async () => {
  const never = (_: unknown, init: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const { client } = scripted([never, answer({ data: [] })]);
  await client.family.listSeats({ timeoutSeconds: 0.01 });
});

test("a network that swallows everything does not outlast the total time", async () => {
  const never = (_: unknown, init: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const { client, sent } = scripted(Array.from({ length: 9 }, () => never));
  const call = client.family.listSeats({ retries: { tries: 9, totalSeconds: 0.02 } });
  await assert.rejects(call, LibraryUnreachable);
  assert.equal(sent.length, 1);
});

test("a cancelled call rejects with the signal's reason, also in a pause", async () => {
  const controller = new AbortController();
  const { client, sent } = scripted([new Error("cut")], "token", {
    pause: async (_, signal) => {
      controller.abort(new Error("the player has left"));
      signal?.throwIfAborted();
    },
  });
  await assert.rejects(client.family.listSeats({ signal: controller.signal }), /the player has left/);
  await assert.rejects(client.family.listSeats({ signal: controller.signal }), /the player has left/);
  assert.equal(sent.length, 1);
});

test("what fails after its caller has gone ends no process", async () => {
  const late = Promise.reject(new Error("no token"));
  await assert.rejects(waitFor(late, AbortSignal.abort(new Error("enough"))), /enough/);
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would fail this test
});

test("options that are undefined are left out", async () => {
  const { client, sent, pauses } = scripted([new Error("cut"), answer({ data: [] })]);
  const left = { tries: undefined, totalSeconds: undefined, firstPauseSeconds: undefined } as object;
  await client.family.listSeats({ retries: left });
  assert.deepEqual([sent.length, pauses], [2, [0.5]]);
});

test("a signal that serves many calls keeps no listener of them", async () => {
  const { signal } = new AbortController();
  const { client } = scripted(
    Array.from({ length: 30 }, (_, index) => (index % 2 ? answer({ data: [] }) : new Error("cut"))),
  );
  for (let call = 0; call < 15; call += 1) await client.family.listSeats({ signal });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("what has not changed is answered from the store, per language", async () => {
  const items = (title: string) => answer({ data: { ...ITEM, attributes: { title } } }, { headers: { ETag: '"1"' } });
  const same = (sent: { headers: Record<string, string> }) => {
    assert.equal(sent.headers["If-None-Match"], '"1"');
    return new Response(null, { status: 304, headers: { ETag: '"1"' } });
  };
  const fresh = (sent: { headers: Record<string, string> }) => {
    assert.equal(sent.headers["If-None-Match"], undefined);
    return items("другой");
  };
  const { client } = scripted([items("Starfall"), same, fresh]);
  const first = await client.library.getItem("i1", {}, { language: "en" });
  first.data.attributes.title = "changed by the caller";
  const again = await client.library.getItem("i1", {}, { language: "en" });
  assert.equal(again.data.attributes.title, "Starfall");
  assert.deepEqual([again.response.isStored, again.response.status, again.response.etag], [true, 200, '"1"']);
  assert.equal((await client.library.getItem("i1", {}, { language: "ru" })).data.attributes.title, "другой");
});

test("a call that may take for ever is not given up at once", async () => {
  const slow = (_: unknown, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      setTimeout(() => resolve(answer({ data: [] })), 20);
    });
  const { client, sent } = scripted([slow]);
  const forever = Number.POSITIVE_INFINITY;
  await client.family.listSeats({ timeoutSeconds: forever, retries: { totalSeconds: forever } });
  assert.equal(sent.length, 1);
});

test("an ETag that a proxy has made weak is one for changes", async () => {
  // hapijs/hapi#3956: it compresses, and says so; a strong comparison would never match.
  const item = (etag: string) => answer({ data: ITEM }, { headers: { ETag: etag } });
  const same = (sent: { headers: Record<string, string> }) => {
    assert.equal(sent.headers["If-None-Match"], 'W/"5.a"');
    return new Response(null, { status: 304, headers: { ETag: 'W/"5.a"' } });
  };
  const { client } = scripted([item('W/"5.a"'), same, item('"5.b"'), answer({ data: ITEM })]);
  assert.equal((await client.library.getItem("i1")).response.etag, '"5.a"');
  const kept = await client.library.getItem("i1");
  assert.deepEqual([kept.response.etag, kept.response.isStored], ['"5.a"', true]);
  assert.equal((await client.library.getItem("i2")).response.etag, '"5.b"');
  assert.equal((await client.library.getItem("i3")).response.etag, undefined);
});

test("a store of ETags that fails costs no answer", async () => {
  const full = () => {
    throw new DOMException("it is full", "QuotaExceededError");
  };
  const item = () => answer({ data: ITEM }, { headers: { ETag: '"1"' } });
  for (const etags of [
    { get: full, set: full },
    { get: () => Promise.reject(new Error("gone")), set: () => Promise.reject(new Error("gone")) },
  ]) {
    const { client } = scripted([item()], undefined, { etags });
    assert.equal((await client.library.getItem("i1")).data.id, "i1");
  }
});

test("calls that are cancelled leave no connection, and later ones are answered", async () => {
  // encode/httpcore#1093: a hundred of them were the last calls of a program.
  let isSlow = true;
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    if (isSlow && asked % 2) return; // no answer, or the beginning of one
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write('{"data": [');
    if (!isSlow) response.end("]}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  const until = async (isReached: () => boolean | Promise<boolean>) => {
    while (!(await isReached())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  try {
    const client = new LibraryClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "token");
    const controller = new AbortController();
    const calls = Array.from({ length: 100 }, () => client.family.listSeats({ signal: controller.signal }));
    const ended = Promise.allSettled(calls);
    await until(() => asked === 100);
    controller.abort(new Error("the player has left"));
    for (const one of await ended) assert.match(String(one.status === "rejected" && one.reason), /the player has left/);
    await until(async () => (await open()) <= 1);
    isSlow = false;
    assert.deepEqual((await client.family.listSeats()).data, []);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
