/** The button that starts a game on this device, or ends it. */

import { LibraryRefusal } from "../../vendor/client/index.js";
import { h } from "../dom.js";

export function playButton(app, productId) {
  const { texts, play } = app;
  const key = `play-${productId}`;
  if (play.of(productId)) return h("button", { class: "stop", "data-key": key, onclick: app.act(() => play.stop(productId)) }, "■ ", texts.stop);
  const start = app.act(async () => {
    try {
      await play.start(productId);
    } catch (error) {
      if (error instanceof LibraryRefusal && error.is("FAMILY_SEAT_BUSY")) {
        const name = app.nameOf(error.meta.held_by_user_id) ?? texts.unknownPlayer;
        app.toasts.show(`${texts.seatBusy}: ${texts.plays(name, app.titleOf(productId))}`, "warning");
      } else throw error;
    }
    location.hash = `#/game/${productId}`;
  });
  return h("button", { class: "primary play", "data-key": key, onclick: start }, "▶ ", texts.play);
}
