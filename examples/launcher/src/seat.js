/** When it is announced that the owner of a shared copy wants to play. Plain values, no I/O. */

const REMINDERS_SECONDS = [60, 10];

/** What is announced: in how many milliseconds, and how many seconds are left then. Now, and shortly before the end. */
export function announcementsOf(lostAt, nowMs) {
  const leftMs = Math.max(0, Date.parse(lostAt) - nowMs);
  const reminders = REMINDERS_SECONDS.map((leftSeconds) => ({ inMs: leftMs - leftSeconds * 1_000, leftSeconds }));
  return [{ inMs: 0, leftSeconds: Math.round(leftMs / 1_000) }, ...reminders.filter(({ inMs }) => inMs > 0)];
}
