/** A game that is played by a script of answers, and what unit tests of play sessions need around it. */

import { afterEach } from "node:test";
import type { ClientOptions, PlayNotice } from "../src/index.js";
import { PlaySession } from "../src/play/session.js";
import { answer, type Scripted, scripted } from "./scripted.js";

export const MINUTE = 60_000;
export const started = (id = "s1", start_time?: string) =>
  answer({ data: { id, attributes: { end_reason: null, start_time } } }, { status: 201 });
export const beaten = (headers: Record<string, string> = {}) => new Response(null, { status: 204, headers });
export const ended = (end_reason = "completed") => answer({ data: { id: "s1", attributes: { end_reason } } });

const sessions: PlaySession[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.end();
});

/** A session by a clock that the test moves. Its own timer never fires: a turn takes an hour. */
export async function playing(
  script: Scripted[],
  token: Parameters<typeof scripted>[1] = "token",
  handle: (notice: PlayNotice) => unknown = () => {},
  options: ClientOptions = {},
) {
  const { client, sent } = scripted(script, token, { retries: { tries: 1 }, ...options });
  const notices: PlayNotice[] = [];
  const clock = { ms: Date.parse("2026-11-28T12:00:00Z"), steadyMs: 0 };
  const clocks = { now: () => clock.ms, steady: () => clock.steadyMs };
  const parts = { ...clocks, playtime: client.playtime, queue: client.offline, deviceId: "deck" };
  const onNotice = (notice: PlayNotice) => {
    notices.push(notice);
    return handle(notice);
  };
  const session = await PlaySession.start(parts, "p", { onNotice });
  sessions.push(session);
  /** Some time later by the machine's clock, which somebody may have set meanwhile. */
  const pass = async (ms: number, steadyMs = ms) => {
    clock.ms += ms;
    clock.steadyMs += steadyMs;
    await session.beat();
  };
  return { client, sent, session, notices, clock, pass, kinds: () => notices.map((one) => one.kind) };
}
