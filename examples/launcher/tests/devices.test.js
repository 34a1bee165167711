import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceName, sidesOf } from "../src/devices.js";
import { en } from "../src/texts/en.js";
import { ru } from "../src/texts/ru.js";

const DECK = { texts: en, device: "deck", deviceId: "steam-deck" };
const PC = { texts: en, device: "pc", deviceId: "anna-pc" };
const version = (number, device_id) => ({ attributes: { version: number, device_id } });
const CONFLICT = { head: version(2, "anna-pc"), branch: version(3, "steam-deck") };

function labelsOf(app, conflict) {
  const { head, branch } = sidesOf(app, conflict);
  return [head.label, branch.label];
}

test("each side of a conflict is named for the window that shows it", () => {
  assert.deepEqual(labelsOf(DECK, CONFLICT), ["PC, v2", "This device, v3"]);
  assert.deepEqual(labelsOf(PC, CONFLICT), ["This device, v2", "Handheld, v3"]);
  assert.deepEqual(labelsOf({ ...PC, texts: ru }, CONFLICT), ["Это устройство, v2", "Консоль, v3"]);
});

test("neither side, or both, may be this device's", () => {
  assert.deepEqual(labelsOf({ ...PC, deviceId: "vera-pc" }, CONFLICT), ["PC, v2", "Handheld, v3"]);
  const alone = { head: version(2, "steam-deck"), branch: version(3, "steam-deck") };
  assert.deepEqual(labelsOf(DECK, alone), ["This device, v2", "This device, v3"]);
});

test("a device that no name is known for is called by its id", () => {
  assert.equal(deviceName(PC, "tv"), "tv");
  assert.equal(deviceName(PC, null), "Unknown device");
  assert.equal(deviceName(PC, "anna-pc"), "PC (on this device)");
});
