/** What a session says to its game, and what the game says to it. */
/** Gives a notice to its game. What the game fails at is no reason to lose what was played. */
export function notify(onNotice, notice) {
    // A promise that is rejected, and that nobody handles, ends Node.
    void handled(onNotice, notice).catch((error) => handled(onNotice, { kind: "failed", error }).catch(() => { }));
}
/** The notice is there when this returns; only its errors come later. */
async function handled(onNotice, notice) {
    await onNotice(notice);
}
