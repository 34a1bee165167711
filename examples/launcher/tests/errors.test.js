import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorText, RefusedWork } from "../src/errors.js";
import { en } from "../src/texts/en.js";
import { ru } from "../src/texts/ru.js";
import { ForeignAnswer, LibraryRefusal, LibraryUnreachable } from "../vendor/client/index.js";

const refusal = (status, code, detail) => new LibraryRefusal(status, [{ code, title: code, detail }]);

test("a failure is shown in the language of the window, and never in the words of a program", () => {
  assert.equal(errorText(ru, new LibraryUnreachable("POST http://127.0.0.1/x: Failed to fetch")), ru.noAnswer);
  assert.equal(errorText(ru, new ForeignAnswer("the page of a hotspot", 200)), ru.noAnswer);
  assert.equal(errorText(ru, refusal(503, "SERVICE_UNAVAILABLE", "Сервис перегружен.")), ru.noAnswer);
  assert.equal(errorText(ru, refusal(404, "NOT_FOUND", "Игры нет в библиотеке.")), "Игры нет в библиотеке.");
  assert.equal(errorText(en, new TypeError("x is undefined")), en.failed);
  assert.equal(errorText(ru, new RefusedWork("ACHIEVEMENT_NOT_FOUND")), ru.refusals.ACHIEVEMENT_NOT_FOUND);
  assert.equal(errorText(en, new RefusedWork("A_NEW_CODE")), en.failed);
});

test("every reason for which the service refuses an element of an import has a text", () => {
  const page = readFileSync(new URL("../../../docs/rest.md", import.meta.url), "utf-8");
  const lists = [...page.matchAll(/`rejected` with a\s+`code`\s+\(([^)]+)\)/g)].map(([, list]) => list);
  assert.equal(lists.length, 2);
  const codes = new Set(lists.flatMap((list) => list.match(/[A-Z]+(?:_[A-Z]+)+/g)));
  assert.ok(codes.size >= 6);
  for (const code of codes) assert.ok(code in en.refusals, code);
});
