"""A session of a game that runs: start, heartbeats, end, and play without the network.

A session that has begun without the network stays one, and is written down at each heartbeat, so a crash loses one
interval at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

from gameshelf.client.errors import ForeignAnswer, LibraryRefusal, LibraryUnreachable
from gameshelf.client.offline import (
    ENDED_SESSION,
    OPEN_SESSION,
    SESSION,
    PlayQueue,
    from_text,
    rest_of,
    to_text,
)
from gameshelf.client.operations import PlaytimeCalls
from gameshelf.client.queue_stores import QueueEntry

PATIENCE_SECONDS = 10.0
"""So long a player waits for the start and for the end of a game, at most."""
_SMALL_OFFSET = timedelta(seconds=3)
"""Clocks that differ by less are the same: start times are whole seconds, and the answer takes its time."""
_AWAY = (LibraryUnreachable, ForeignAnswer, TimeoutError)


@dataclass(frozen=True, slots=True)
class PlayNotice:
    """Something that the player should know."""

    kind: Literal["seat_reclaimed", "ended", "offline"]
    """``seat_reclaimed``: the owner wants to play; ``lost_at`` is when this game has to end. ``ended``: the session is
    over, and playing is not counted any more; ``code`` says why. ``offline``: playing is counted later."""
    lost_at: datetime | None = None
    code: str = ""


NoticeHandler = Callable[[PlayNotice], None]


class PlaySession:
    """A session, as long as its block runs."""

    def __init__(
        self,
        playtime: PlaytimeCalls,
        product_id: str,
        *,
        device_id: str,
        platform: str | None = None,
        queue: PlayQueue | None = None,
        on_notice: NoticeHandler | None = None,
        heartbeat_seconds: float = 60.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._playtime, self._queue = playtime, queue
        self._said = {"product_id": product_id, "device_id": device_id, "platform": platform}
        self._on_notice = on_notice or (lambda notice: None)
        self._interval, self._pause, self._now = heartbeat_seconds, pause, now
        self.id: str | None = None
        """Of the session at the service; None without one."""
        self.is_over = False
        """Whether the service has ended it, and refuses another one."""
        self._offline_id = ""
        self._offset = timedelta()
        """What the clock of the service is ahead."""
        self._began = self._ticked = self._awake_since = now()
        self._seat_lost_at = ""
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._start()
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        await self._end()

    async def _start(self) -> None:
        """Starts a session at the service, or one that is only written down."""
        self._began = self._ticked = self._awake_since = self._now()
        attributes: Any = {name: value for name, value in self._said.items() if value is not None}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._playtime.start_session(attributes)
        except _AWAY as away:
            if self._queue is None:
                raise _unreachable(away) from away
            self._offline_id = str(uuid4())
            await self._write_down(OPEN_SESSION, self._began)
            self._on_notice(PlayNotice("offline"))
        else:
            self.id = answer.data["id"]
            if answer.status == 201:  # else it began earlier, and its start says nothing about the clocks
                offset = from_text(answer.data["attributes"]["start_time"]) - self._now()
                self._offset = offset if abs(offset) > _SMALL_OFFSET else timedelta()

    async def _beat(self) -> None:
        while not self.is_over:
            await self._pause(self._interval)
            # A disk may fail for a moment; the session has to survive it.
            with suppress(Exception):
                await self._tick(self._now())

    async def _tick(self, now: datetime) -> None:
        if (now - self._ticked).total_seconds() > 3 * self._interval:
            await self._woke(now)
        self._ticked = now
        if self.id is None:
            await self._write_down(OPEN_SESSION, now)
        else:
            await self._heartbeat(self.id)

    async def _woke(self, now: datetime) -> None:
        """The machine has slept: nobody played meanwhile."""
        self._awake_since = now
        if self.id is None:
            await self._write_down(SESSION, self._ticked)
            self._offline_id, self._began = str(uuid4()), now

    async def _heartbeat(self, session_id: str) -> None:
        try:
            answer = await self._playtime.record_heartbeat(session_id)
        except _AWAY:
            return  # the next one comes at its time, and what was played is not lost
        except LibraryRefusal as refusal:
            if refusal.code == "SESSION_ALREADY_ENDED" and refusal.meta.get("end_reason") == "timeout":
                await self._continue(session_id, refusal.meta)
            elif refusal.status in (404, 409):
                self._ended(refusal)
            return
        lost_at = answer.headers.get("X-Seat-Lost-At", "")
        if lost_at and lost_at != self._seat_lost_at:
            self._seat_lost_at = lost_at
            self._on_notice(PlayNotice("seat_reclaimed", from_text(lost_at)))

    async def _continue(self, session_id: str, ended: Mapping[str, Any]) -> None:
        """The network or the machine was away for so long that the session has ended: begins another one."""
        rest = rest_of(self._entry(session_id, ENDED_SESSION, self._now()), ended)
        if rest is not None and self._queue is not None:
            await self._queue.put(rest)
        self.id = None
        try:
            await self._start()
        except LibraryRefusal as refusal:
            self._ended(refusal)
        except LibraryUnreachable:  # there is no queue: the next heartbeat tries it again
            self.id = session_id

    def _ended(self, refusal: LibraryRefusal) -> None:
        self.id, self.is_over = None, True
        self._on_notice(PlayNotice("ended", code=refusal.code))

    async def _end(self) -> None:
        """Ends the session; what cannot be reported now is kept."""
        now = self._now()
        if (now - self._ticked).total_seconds() > 3 * self._interval:
            await self._woke(now)
        if self.id is None:
            if not self.is_over:
                await self._write_down(SESSION, now)
            return
        key, ended = str(uuid4()), self._entry(self.id, ENDED_SESSION, now)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._playtime.end_session(self.id, key=key)
        except _AWAY as away:
            if self._queue is None:
                raise _unreachable(away) from away
            await self._queue.put(QueueEntry(ended.id, ended.kind, {**ended.attributes, "key": key}))
        except LibraryRefusal as refusal:
            if refusal.status == 401 and self._queue is not None:
                # The token has expired, and nobody can renew it now. The end is sent with the next one.
                await self._queue.put(QueueEntry(ended.id, ended.kind, {**ended.attributes, "key": key}))
                return
            if refusal.status not in (404, 409):
                raise
            rest = rest_of(ended, refusal.meta)
            if rest is not None and self._queue is not None:
                await self._queue.put(rest)

    async def _write_down(self, kind: str, end: datetime) -> None:
        if self._queue is not None:
            await self._queue.put(self._entry(self._offline_id, kind, end))

    def _entry(self, entry_id: str, kind: str, end: datetime) -> QueueEntry:
        times = {"start_time": self._began, "end_time": end}
        if kind == ENDED_SESSION:
            times = {"awake_since": self._awake_since, "end_time": end}
        return QueueEntry(
            entry_id, kind, {**self._said, **{name: to_text(time + self._offset) for name, time in times.items()}}
        )


def _unreachable(away: Exception) -> LibraryUnreachable:
    if isinstance(away, LibraryUnreachable):
        return away
    return LibraryUnreachable(str(away) or f"no answer in {PATIENCE_SECONDS:.0f} seconds")
