"""When a watched game is synchronised: after it ended, after its files changed, and now and then for other devices.

The rules know no clock and no disk: they get what was seen and when, and answer with the intent of the next run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gameshelf.savesync.report import SyncIntent, SyncReport

POLL_SECONDS = 5.0
CHECK_SECONDS = 300.0
"""How often other devices' versions are looked for while nothing happens here."""
RETRY_SECONDS, LONGEST_RETRY = 30.0, 900.0
LONGEST_PATIENCE = 86_400.0
"""Nobody's ``Retry-After`` stops it for longer."""
RESUMED_AFTER = 60.0
"""A pause between two looks that is this much longer than it should be: the machine slept."""


@dataclass(frozen=True, slots=True)
class WatchLook:
    """What one look found."""

    files: object
    """Names, sizes and times of the save; equal values mean that nothing changed."""
    games: tuple[str, ...]
    """The processes of the game that run."""


class WatchRules:
    """Decides which run comes next."""

    def __init__(self, settle_seconds: float, now: float) -> None:
        self._settle = settle_seconds
        self._synced: object = None
        self._last: WatchLook | None = None
        self._still_since = self._looked_at = now
        self._next_check = self._not_before = now
        self._failures = 0
        self._pending: SyncIntent | None = None
        """A run that has to come whether files changed or not."""

    def decide(self, seen: WatchLook, now: float) -> SyncIntent | None:
        """The intent of a run that is due, or None. While the game runs nothing is due."""
        self._follow_clock(now)
        has_slept = now - self._looked_at > POLL_SECONDS + RESUMED_AFTER
        has_ended = self._last is not None and bool(self._last.games) and not seen.games
        if has_ended or self._last is None or seen.files != self._last.files:
            self._still_since = now
        self._last, self._looked_at = seen, now
        if seen.games:
            self._pending = None
            return None
        if has_ended or (has_slept and self._pending is None):
            self._pending = SyncIntent.EXIT if has_ended else SyncIntent.RESUME
            self._not_before = now
        if now - self._still_since < self._settle or now < self._not_before:
            return None
        if self._pending is not None:
            return self._pending
        is_due = seen.files != self._synced or now >= self._next_check
        return SyncIntent.BACKGROUND if is_due else None

    def ran(self, files: object, now: float, *, is_done: bool, retry_after: float | None = None) -> None:
        """Notes a run. ``is_done`` is False where it has to be repeated: no network, or files that change.

        ``retry_after``: for how many seconds the service asks for patience.
        """
        self._follow_clock(now)
        self._looked_at = now  # a run that took long is no sleep
        if is_done:
            self._failures, self._pending, self._synced = 0, None, files
            self._next_check, self._not_before = now + CHECK_SECONDS, now
            return
        self._failures += 1
        own = min(RETRY_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_RETRY)
        self._not_before = now + max(own, min(retry_after or 0.0, LONGEST_PATIENCE))

    def _follow_clock(self, now: float) -> None:
        """Where the clock was set back, what was noted by it moves as well: else nothing would be due for as long."""
        back = max(0.0, self._looked_at - now)
        self._still_since, self._looked_at = self._still_since - back, self._looked_at - back
        self._next_check, self._not_before = self._next_check - back, self._not_before - back


class FolderWatcher:
    """Watches the folders of a product until it is cancelled."""

    def __init__(
        self,
        look: Callable[[], Awaitable[WatchLook]],
        run: Callable[[SyncIntent], Awaitable[SyncReport | None]],
        rules: WatchRules,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._look, self._run, self._rules, self._clock, self._pause = look, run, rules, clock, pause

    async def watch(self) -> None:
        """Looks and runs for ever. ``run`` answers None where the run failed; it reports the reason itself."""
        while True:
            seen = await self._look()
            intent = self._rules.decide(seen, self._clock())
            if intent is not None:
                report = await self._run(intent)
                is_done = report is not None and not report.queued and not report.deferred
                after = await self._look()  # a download changes the files as well
                retry_after = report.retry_after if report is not None else None
                self._rules.ran(after.files, self._clock(), is_done=is_done, retry_after=retry_after)
            await self._pause(POLL_SECONDS)
