/** What devices are called in this window. Plain values, no I/O. */

export function deviceName({ texts, device, deviceId }, id) {
  if (id === deviceId) return `${texts[device]} (${texts.onDevice})`;
  if (id === "steam-deck") return texts.deck;
  return id?.endsWith("-pc") ? texts.pc : (id ?? texts.unknownDevice);
}

/**
 * The sides of a conflict by the devices that saved them. Either may be this device, or both, or none: two sides of one
 * device are distinguished by the number of the version.
 */
export function sidesOf(app, { head, branch }) {
  const sideOf = ({ attributes }) => {
    const { version, device_id } = attributes;
    const name = device_id === app.deviceId ? app.texts.thisDevice : deviceName(app, device_id);
    return { attributes, name, label: `${name}, v${version}` };
  };
  return { head: sideOf(head), branch: sideOf(branch) };
}
