import assert from "node:assert/strict";
import { test } from "node:test";
import { errorText, RefusedWork } from "../src/errors.js";
import { en } from "../src/texts/en.js";
import { ru } from "../src/texts/ru.js";
import { ForeignAnswer, LibraryRefusal, LibraryUnreachable } from "../vendor/client/index.js";

const refusal = (status, code, detail) => new LibraryRefusal(status, [{ code, title: code, detail }]);

test("a failure is shown in the language of the window, and never in the words of a program", () => {
  assert.equal(errorText(ru, new LibraryUnreachable("POST http://127.0.0.1/x: Failed to fetch")), ru.offline);
  assert.equal(errorText(ru, new ForeignAnswer("the page of a hotspot", 200)), ru.offline);
  assert.equal(errorText(ru, refusal(503, "SERVICE_UNAVAILABLE", "Сервис перегружен.")), ru.offline);
  assert.equal(errorText(ru, refusal(404, "NOT_FOUND", "Игры нет в библиотеке.")), "Игры нет в библиотеке.");
  assert.equal(errorText(en, new TypeError("x is undefined")), en.failed);
  assert.equal(errorText(ru, new RefusedWork("ACHIEVEMENT_NOT_FOUND")), ru.refusals.ACHIEVEMENT_NOT_FOUND);
  assert.equal(errorText(en, new RefusedWork("A_NEW_CODE")), en.failed);
});
