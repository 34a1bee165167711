/** What a session says to its game, and what the game says to it. */

/** What a game should show its player, or act on. */
export type PlayNotice =
  /** The owner of a shared copy wants to play: the session ends at that time. Save the game. */
  | { readonly kind: "seat_reclaimed"; readonly lostAt: string }
  /** The session is over: `seat_lost`, `access_revoked`, `completed` by another program. It does not count further. */
  | { readonly kind: "over"; readonly reason: string }
  /** The service can't be reached. What is played is counted later. */
  | { readonly kind: "offline" }
  /** The service is reached again. */
  | { readonly kind: "online" }
  /** The machine has slept for so long. */
  | { readonly kind: "slept"; readonly seconds: number }
  /** Not the service has failed, but the queue's store, which may be full and is tried again; or `onNotice` itself. */
  | { readonly kind: "failed"; readonly error: unknown };

export interface PlayOptions {
  platform?: string | null;
  /** The service's PLAYTIME_HEARTBEAT_INTERVAL_SECONDS. */
  heartbeatSeconds?: number;
  /** An error of it, also one of a promise that it returns, is a notice of its own, and costs nothing that is played. */
  onNotice?: (notice: PlayNotice) => unknown;
  signal?: AbortSignal;
}

/** Gives a notice to its game. What the game fails at is no reason to lose what was played. */
export function notify(onNotice: (notice: PlayNotice) => unknown, notice: PlayNotice): void {
  // A promise that is rejected, and that nobody handles, ends Node.
  void handled(onNotice, notice).catch((error: unknown) =>
    handled(onNotice, { kind: "failed", error }).catch(() => {}),
  );
}

/** The notice is there when this returns; only its errors come later. */
async function handled(onNotice: (notice: PlayNotice) => unknown, notice: PlayNotice): Promise<void> {
  await onNotice(notice);
}
