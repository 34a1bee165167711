/** Live updates: each message refreshes the page, and some are shown. */

/** Follows the messages from a cursor on. It returns only when the window is closed. */
export async function follow(app, cursor) {
  for await (const message of app.client.live({ cursor })) {
    app.play.receive(message);
    const text = noticeOf(message, app.texts, app.language);
    // What this window has done itself is on the screen already.
    if (text && message.origin !== app.client.clientId) app.toasts.show(text);
    app.refreshSoon();
  }
}

/** What a message says to the player; undefined for those that only change the page. */
export function noticeOf(message, texts, language) {
  const { payload } = message;
  switch (message.event_type) {
    case "library.item.added":
      return texts.added(payload.titles?.[language] ?? payload.title ?? "?");
    case "library.item.removed":
      return texts.removed;
    case "achievement.unlocked":
      return texts.unlocked(payload.achievement_names?.[language] ?? payload.achievement_name ?? "?");
    case "savegame.sync.status":
      return payload.status === "conflict" ? texts.conflictTitle : undefined;
    case "wishlist.item.on_sale":
      return texts.saleStarted;
    case "wishlist.item.price_dropped":
      return texts.priceDropped;
    default:
      return undefined;
  }
}
