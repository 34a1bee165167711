import assert from "node:assert/strict";
import { test } from "node:test";
import { first } from "../src/parts/settings.js";
import { LibraryClient } from "../vendor/client/index.js";

/** The settings of a client whose service has these answers, and what it was sent. */
function settingsOf(answers) {
  const sent = [];
  const fetch = async (url, { method, headers, body }) => {
    sent.push({ method, match: headers["If-None-Match"] ?? headers["If-Match"], payload: body && JSON.parse(body).data.attributes.settings_payload });
    return answers.shift();
  };
  return { sent, settings: new LibraryClient("http://service.test", "token", { fetch }).settings };
}

const found = (settings_payload) => {
  const settings_layers = Object.fromEntries(Object.keys(settings_payload).map((name) => [name, "account"]));
  return Response.json({ data: { attributes: { settings_payload, settings_layers } } }, { headers: { ETag: '"a1"' } });
};

test("the first settings of a game are written only where there are none", async () => {
  const { settings, sent } = settingsOf([found({ volume: 3 })]);
  await first(settings, "p", { volume: 3 }, {});
  assert.deepEqual(sent, [{ method: "PUT", match: "*", payload: { volume: 3 } }]);
});

test("first settings of two fields, or windows, are both kept", async () => {
  const refusal = Response.json({ errors: [{ code: "PRECONDITION_FAILED", title: "t", detail: "d" }] }, { status: 412 });
  const { settings, sent } = settingsOf([refusal, found({ difficulty: "hard" }), found({ difficulty: "hard", volume: 3 })]);
  await first(settings, "p", { volume: 3 }, {});
  assert.deepEqual(sent.at(-1), { method: "PUT", match: '"a1"', payload: { difficulty: "hard", volume: 3 } });
});
