import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { en } from "../src/texts/en.js";
import { ru } from "../src/texts/ru.js";
import { noticeOf } from "../src/updates.js";

const SOURCES = new URL("../src/", import.meta.url);

function shapeOf(texts) {
  return Object.fromEntries(
    Object.entries(texts).map(([key, value]) => {
      if (typeof value === "function") return [key, value.length];
      return [key, typeof value === "object" ? shapeOf(value) : "text"];
    }),
  );
}

test("both languages have the same texts", () => {
  assert.deepEqual(shapeOf(ru), shapeOf(en));
});

test("every text that the page names is there, and every one is named", () => {
  const files = readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith(".js") && !name.startsWith("texts"));
  const sources = files.map((name) => readFileSync(new URL(name, SOURCES), "utf-8")).join("\n");
  const named = new Set([...sources.matchAll(/\btexts\.(\w+)/g)].map(([, name]) => name));
  assert.deepEqual([...named].filter((name) => !(name in en)), []);
  // These are named by their pages and devices: `texts[page]`.
  for (const name of ["home", "library", "wishlist", "family", "pc", "deck"]) named.add(name);
  assert.deepEqual(Object.keys(en).filter((name) => !named.has(name)), []);
});

test("a message says what it means in the language of the window", () => {
  const message = { event_type: "library.item.added", payload: { titles: { ru: "Ночь", en: "Night" } } };
  assert.equal(noticeOf(message, en, "en"), "New in your library: Night");
  assert.equal(noticeOf(message, ru, "ru"), "Новое в библиотеке: Ночь");
  assert.equal(noticeOf({ event_type: "settings.updated", payload: {} }, en, "en"), undefined);
});
