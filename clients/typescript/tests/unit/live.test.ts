import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_RETRIES } from "../../src/http/retries.js";
import { LibraryClient, LibraryRefusal, LibraryUnreachable, type LiveMessage } from "../../src/index.js";
import { isAfter, liveMessage, readMessage } from "../../src/live/messages.js";
import { failuresAfter, isSilent, reconnectSeconds } from "../../src/live/reconnects.js";

/** What one connection does: the messages that it sends, and the code that it ends with. */
interface Scripted {
  messages?: object[];
  code?: number;
}

const TIME = "2026-11-28T12:00:00Z";
const auth = (cursor: string) => ({ event_type: "auth.success", id: cursor, timestamp: TIME, payload: { cursor } });
const added = (id: string) => ({
  event_type: "library.item.added",
  id,
  timestamp: TIME,
  payload: { product_id: `p${id}` },
});

function connections(script: Scripted[], token: string | ((renew: boolean) => string | Promise<string>) = "token") {
  const opened: { url: string; protocols: string[] }[] = [];
  const pauses: number[] = [];
  class Socket extends EventTarget {
    constructor(url: string, protocols: string[]) {
      super();
      opened.push({ url, protocols });
      const { messages = [], code } = script.shift() ?? {};
      queueMicrotask(() => {
        for (const message of messages)
          this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
        if (code !== undefined) this.dispatchEvent(Object.assign(new Event("close"), { code }));
      });
    }
    send() {}
    close() {}
  }
  const client = new LibraryClient("https://service.test/", token, {
    webSocket: Socket as never,
    random: () => 1,
    pause: async (seconds, signal) => {
      pauses.push(seconds);
      signal?.throwIfAborted();
    },
  });
  return { client, opened, pauses };
}

async function taken(updates: AsyncIterable<LiveMessage>, count: number): Promise<LiveMessage[]> {
  const messages: LiveMessage[] = [];
  for await (const message of updates) if (messages.push(message) === count) break;
  return messages;
}

test("updates resume behind the last message, and none comes twice", async () => {
  const { client, opened } = connections([
    { messages: [auth("7"), added("8"), added("9")], code: 1006 },
    { messages: [auth("9"), added("9"), added("10")], code: 1001 },
    { messages: [auth("10"), added("11")] },
  ]);
  const live = client.live();
  const messages = await taken(live, 4);
  assert.deepEqual(
    messages.map((one) => one.id),
    ["8", "9", "10", "11"],
  );
  assert.equal(live.cursor, "11");
  const address = "wss://service.test/api/v1/ws/library-updates";
  assert.deepEqual(
    opened.map((one) => one.url),
    [address, `${address}?cursor=9`, `${address}?cursor=10`],
  );
  assert.deepEqual(opened[0]?.protocols, ["bearer", "token"]);
});

test("a connection that ends before its first message resumes where it began", async () => {
  const { client, opened } = connections([
    { messages: [auth("7")], code: 1006 },
    { messages: [auth("7"), added("8")] },
  ]);
  await taken(client.live(), 1);
  assert.match(opened[1]?.url ?? "", /cursor=7$/);
});

test("the cursor is that of the message that was read, not of those that wait", async () => {
  const { client } = connections([{ messages: [auth("7"), added("8"), added("9")] }]);
  const live = client.live();
  for await (const message of live) {
    assert.equal(live.cursor, message.id);
    if (message.id === "8") break;
  }
  assert.equal(live.cursor, "8");
});

test("an expired token is renewed at once, a refused new one ends the updates", async () => {
  const provider = (renew: boolean) => (renew ? "new" : "old");
  const renewed = connections([{ code: 4401 }, { messages: [auth("1"), added("2")] }], provider);
  await taken(renewed.client.live(), 1);
  assert.deepEqual(
    renewed.opened.map((one) => one.protocols[1]),
    ["old", "new"],
  );
  assert.deepEqual(renewed.pauses, []);
  const refused = connections([{ code: 4401 }, { code: 4401 }], provider);
  await assert.rejects(
    taken(refused.client.live(), 1),
    (error) => error instanceof LibraryRefusal && error.status === 401,
  );
  await assert.rejects(taken(connections([{ code: 4401 }]).client.live(), 1), LibraryRefusal);
});

test("a token provider that cannot be reached is asked again later", async () => {
  let asked = 0;
  const provider = async () => {
    asked += 1;
    if (asked < 3) throw new LibraryUnreachable("no network");
    return "token";
  };
  const { client, pauses } = connections([{ messages: [auth("1"), added("2")] }], provider);
  await taken(client.live(), 1);
  assert.deepEqual(pauses, [1, 2]);
});

test("a token provider that fails for any reason does not end the updates", async () => {
  // What a browser's fetch throws without a network is a plain TypeError.
  const answers: unknown[] = [new TypeError("Failed to fetch"), undefined, "", "a\nb", "token"];
  const provider = () => {
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next as string;
  };
  const { client, opened } = connections([{ messages: [auth("1"), added("2")] }], provider);
  await taken(client.live(), 1);
  assert.deepEqual(
    opened.map((one) => one.protocols[1]),
    ["token"],
  );
});

test("tokens that are accepted and expire at once do not make a storm", async () => {
  const storm = Array.from({ length: 4 }, () => ({ messages: [auth("1")], code: 4401 }));
  let number = 0;
  const { client, pauses } = connections([...storm, { messages: [added("2")] }], () => {
    number += 1;
    return `t${number}`;
  });
  await taken(client.live(), 1);
  assert.deepEqual(pauses, [2, 4, 8]);
});

test("a full buffer ends the connection, and the rest comes by the next one", async () => {
  const first = { messages: [auth("0"), ...["1", "2", "3", "4", "5", "6"].map(added)] };
  const { client, opened } = connections([first, { messages: [auth("4"), added("5"), added("6")] }]);
  const messages = await taken(client.live({ maxBuffered: 4 }), 6);
  assert.deepEqual(
    messages.map((one) => one.id),
    ["1", "2", "3", "4", "5", "6"],
  );
  assert.match(opened[1]?.url ?? "", /cursor=4$/);
});

test("resync.required is handed on, and its id is the new cursor", async () => {
  const resync = { event_type: "resync.required", id: "3", timestamp: TIME, payload: {} };
  const { client, opened } = connections([
    { messages: [auth("3"), resync], code: 1006 },
    { messages: [auth("3"), added("4")] },
  ]);
  const messages = await taken(client.live({ cursor: "900" }), 2);
  assert.deepEqual(
    messages.map((one) => [one.event_type, one.id]),
    [
      ["resync.required", "3"],
      ["library.item.added", "4"],
    ],
  );
  assert.match(opened[0]?.url ?? "", /cursor=900$/);
  assert.match(opened[1]?.url ?? "", /cursor=3$/);
});

test("a type that this client does not know is handed on as unknown", () => {
  const message = readMessage(JSON.stringify({ ...added("5"), event_type: "library.item.lent", origin: "deck" }));
  assert.ok(message);
  const live = liveMessage(message);
  assert.ok(live?.event_type === "unknown");
  assert.deepEqual([live.unknown_type, live.id, live.origin], ["library.item.lent", "5", "deck"]);
});

test("what is no message is no message", () => {
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    '{"event_type": "x"}',
    '{"event_type": "x", "id": "a"}',
    new ArrayBuffer(1),
  ]) {
    assert.equal(readMessage(text), undefined, String(text));
  }
});

test("ids are compared as numbers of any length", () => {
  const message = (id: string) => readMessage(JSON.stringify(added(id))) ?? assert.fail();
  assert.ok(isAfter(message("10"), "9") && !isAfter(message("9"), "10") && !isAfter(message("9"), "9"));
  assert.ok(isAfter(message("90071992547409931"), "90071992547409930"));
});

test("pauses grow while connections fail, and begin again after one that worked", () => {
  const failed = { ended: { code: 1006 }, isAccepted: false, seconds: 60 };
  const worked = { ended: { code: 1006 }, isAccepted: true, seconds: 60 };
  const short = { ended: { code: 1013 }, isAccepted: true, seconds: 1 };
  assert.deepEqual([failuresAfter(failed, 3), failuresAfter(worked, 3), failuresAfter(short, 3)], [4, 1, 4]);
  const policy = { ...DEFAULT_RETRIES, firstPauseSeconds: 1, longestPauseSeconds: 30 };
  assert.deepEqual(
    [1, 2, 9, 9999].map((n) => reconnectSeconds({ code: 1006 }, n, policy, 0, 1)),
    [1, 2, 30, 30],
  );
});

test("after 4429 the next minute is waited for", () => {
  assert.equal(reconnectSeconds({ code: 4429 }, 1, DEFAULT_RETRIES, 45_000, 0), 15);
});

test("a connection is silent by the clock that did not stand still", () => {
  const since = { wallMs: 0, steadyMs: 0 };
  assert.ok(!isSilent(since, { wallMs: 59_000, steadyMs: 59_000 }, 60));
  assert.ok(isSilent(since, { wallMs: 3_600_000, steadyMs: 1_000 }, 60));
  assert.ok(isSilent(since, { wallMs: -9_000, steadyMs: 61_000 }, 60));
});

test("a connection that is never answered is replaced", async () => {
  const { client, opened } = connections([{}, { messages: [auth("1"), added("2")] }]);
  await taken(client.live({ connectSeconds: 0.01 }), 1);
  assert.equal(opened.length, 2);
});

test("closing, or the signal, ends the iteration while it waits", async () => {
  const closed = connections([{ messages: [auth("1")] }]).client.live();
  setImmediate(() => closed.close());
  assert.deepEqual(await taken(closed, 1), []);
  const controller = new AbortController();
  setImmediate(() => controller.abort(new Error("the player has left")));
  const aborted = connections([{ messages: [auth("1")] }]).client.live({ signal: controller.signal });
  await assert.rejects(taken(aborted, 1), /the player has left/);
});

/** A client whose connections fail until its service is back, and whose pauses last until something ends them. */
function awayClient(code: number) {
  const pauses: { seconds: number; end: () => void }[] = [];
  const state = { isAway: true, opened: 0 };
  class Socket extends EventTarget {
    constructor() {
      super();
      state.opened += 1;
      queueMicrotask(() => {
        if (state.isAway) return this.dispatchEvent(Object.assign(new Event("close"), { code }));
        for (const message of [auth("1"), added("2")])
          this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
      });
    }
    send() {}
    close() {}
  }
  const client = new LibraryClient("https://service.test/", "token", {
    webSocket: Socket as never,
    random: () => 1,
    fetch: async () => {
      if (state.isAway) throw new TypeError("fetch failed");
      return Response.json({ data: {}, meta: {} });
    },
    retries: { tries: 1 },
    pause: (seconds, signal) =>
      new Promise((resolve, reject) => {
        pauses.push({ seconds, end: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  });
  /** Lets what is ready run. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { client, state, pauses, settle };
}

test("a call that is answered again ends the pause, and the pauses begin from the shortest", async () => {
  const { client, state, pauses, settle } = awayClient(1006);
  const messages = taken(client.live(), 1);
  for (const seconds of [1, 2, 4, 8]) {
    await settle();
    assert.equal(pauses.at(-1)?.seconds, seconds);
    if (seconds < 8) pauses.at(-1)?.end();
  }
  await assert.rejects(client.home(), LibraryUnreachable);
  await settle();
  assert.equal(state.opened, 4, "a call that fails ends no pause");
  state.isAway = false;
  await client.home();
  await settle();
  assert.deepEqual([pauses.length, pauses.at(-1)?.seconds], [5, 1], "not all clients come at the same moment");
  pauses.at(-1)?.end();
  assert.equal((await messages).length, 1);
  assert.equal(state.opened, 5);
});

test("an answer ends no pause if the calls before it were answered too, or the service has asked for the pause", async () => {
  const answering = awayClient(1013);
  void taken(answering.client.live(), 1);
  await answering.settle();
  answering.state.isAway = false;
  await answering.client.home();
  await answering.settle();
  assert.deepEqual([answering.state.opened, answering.pauses.length], [1, 1]);

  const limited = awayClient(4429);
  void taken(limited.client.live(), 1);
  await limited.settle();
  await assert.rejects(limited.client.home(), LibraryUnreachable);
  limited.state.isAway = false;
  await limited.client.home();
  await limited.settle();
  assert.deepEqual([limited.state.opened, limited.pauses.length], [1, 1]);
});

test("a browser that has a network again ends the pause, and closing leaves no listener", async () => {
  const page = new EventTarget();
  const listeners = { count: 0 };
  Object.assign(globalThis, {
    addEventListener: (...all: Parameters<EventTarget["addEventListener"]>) => {
      listeners.count += 1;
      page.addEventListener(...all);
    },
    removeEventListener: (...all: Parameters<EventTarget["removeEventListener"]>) => {
      listeners.count -= 1;
      page.removeEventListener(...all);
    },
  });
  try {
    const { client, state, pauses, settle } = awayClient(1006);
    const live = client.live();
    const messages = taken(live, 1);
    await settle();
    page.dispatchEvent(new Event("online"));
    await settle();
    assert.equal(pauses.length, 2);
    pauses.at(-1)?.end();
    await settle();
    assert.deepEqual([state.opened, listeners.count], [2, 1]);
    live.close();
    assert.deepEqual(await messages, []);
    await settle();
    assert.equal(listeners.count, 0);
  } finally {
    Reflect.deleteProperty(globalThis, "addEventListener");
    Reflect.deleteProperty(globalThis, "removeEventListener");
  }
});
