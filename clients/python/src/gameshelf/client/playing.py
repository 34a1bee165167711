"""A session of a game that runs: start, heartbeats, end, and play without the network.

While the service cannot be reached, the session is written into the queue at each heartbeat, so a crash loses one
interval at most: as a whole if it has begun without the network, else as the end that the service has missed.
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
from gameshelf.client.offline import PlayQueue
from gameshelf.client.operations import PlaytimeCalls
from gameshelf.client.queue_entries import (
    ABANDONED,
    ENDED_SESSION,
    OPEN_END,
    OPEN_SESSION,
    SESSION,
    from_text,
    rests_of,
    to_text,
)
from gameshelf.client.queue_stores import QueueEntry
from gameshelf.client.retries import RetryRules, date_of
from gameshelf.client.stretches import SHORTEST, PlayedStretches, Stretch

PATIENCE_SECONDS = 10.0
"""The longest time that a player waits for the start of a game, and for its end."""
_ONCE = RetryRules(tries=1, tries_to_connect=1)
"""A heartbeat is tried once: the next one follows soon, and turns that wait for the network look like a sleep."""
_HEARTBEAT_SECONDS = 30.0
"""The longest time that a heartbeat waits for its answer."""
_AWAY = (LibraryUnreachable, ForeignAnswer, TimeoutError)


@dataclass(frozen=True, slots=True)
class PlayNotice:
    """Something that the player should know."""

    kind: Literal["seat_reclaimed", "ended", "offline", "online", "failed"]
    """``seat_reclaimed``: the owner wants to play; ``lost_at`` is when this game has to end. ``ended``: the session is
    over, and playing is not counted any more; ``code`` says why. ``offline``: the service cannot be reached, and
    playing is counted later. ``online``: it is reached again, and the game has a session there. Each comes once per
    outage. ``failed``: the store of the queue, or the handler of the notices, has failed with ``error``; the next
    heartbeat tries the store again."""
    lost_at: datetime | None = None
    code: str = ""
    error: Exception | None = None


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
        self._heartbeats = playtime.with_options(retries=_ONCE)
        self._said = {"product_id": product_id, "device_id": device_id, "platform": platform}
        self._on_notice = on_notice or (lambda notice: None)
        self._interval, self._pause, self._now = heartbeat_seconds, pause, now
        self.id: str | None = None
        """Of the session at the service; None without one."""
        self.is_over = False
        """Whether the service has ended it, and refuses another one."""
        self._offline_id = self._end_key = ""
        self._user: str | None = None
        """Who was signed in when the session, or what is played without one, began: what is queued of it is theirs."""
        self._played = PlayedStretches(now(), heartbeat_seconds)
        self._is_away = self._is_noted = False
        """Whether the service does not answer, and whether the queue has an end of this session."""
        self._seat_lost_at = ""
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._played = PlayedStretches(self._now(), self._interval)
        try:
            await self._start()
        except _AWAY as away:
            if self._queue is None:
                raise _unreachable(away) from away
            await self._start_offline()
        except LibraryRefusal as refusal:
            if refusal.status != 401 or self._queue is None:
                raise
            await self._start_offline()  # the token has expired, and nobody can renew it now
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        await self._end()

    async def _start(self, calls: PlaytimeCalls | None = None, patience: float = PATIENCE_SECONDS) -> None:
        """Starts a session at the service. Nothing has changed if that fails, or is cancelled."""
        attributes: Any = {name: value for name, value in self._said.items() if value is not None}
        sent = self._now()
        async with asyncio.timeout(patience):
            answer = await (calls or self._playtime).start_session(attributes)
        is_new = answer.status == 201
        self._played = PlayedStretches(sent, self._interval, self._played.ahead)
        self._compare_clocks(sent, answer.headers, answer.data["attributes"]["start_time"] if is_new else None)
        self.id, self._end_key, self._user = answer.data["id"], str(uuid4()), self._signed_in
        self._is_noted = not is_new  # it may have begun before a crash: then the queue may have an end of it

    async def _start_offline(self) -> None:
        """Begins a session that is only written down, with the last turn."""
        self.id, self._offline_id, self._user = None, str(uuid4()), self._signed_in
        self._played = PlayedStretches(self._played.current[1], self._interval, self._played.ahead)
        await self._write_open()
        self._note_away(True)

    async def _beat(self) -> None:
        while not self.is_over:
            await self._pause(self._interval)
            try:
                await self._tick(self._now())
            except Exception as error:  # a disk may fail for a moment; the session has to survive it
                self._notify(PlayNotice("failed", error=error))

    async def _tick(self, now: datetime) -> None:
        await self._advance(now)
        if self.id is None:
            await self._write_open()
            await self._return()
        else:
            await self._heartbeat(self.id)

    async def _advance(self, now: datetime) -> None:
        """Counts what was played. While the machine slept nobody played: an offline session ends before that."""
        before = self._played.current
        if self._played.advance(now) and self.id is None and not self.is_over:
            ended_id, self._offline_id = self._offline_id, str(uuid4())  # first: the disk may fail
            await self._write_down(SESSION, before, ended_id)

    async def _return(self) -> None:
        """Tries once whether the service is reached again. Then what comes now is a session there."""
        offline_id, stretch, user = self._offline_id, self._played.current, self._user
        try:
            await self._start(self._heartbeats, self._turn_seconds)
        except _AWAY:
            return
        except LibraryRefusal as refusal:
            if refusal.status == 401:
                return
            await self._write_down(SESSION, stretch, offline_id)
            self._ended(refusal)
        else:
            try:
                await self._write_down(SESSION, stretch, offline_id, user)
            finally:
                self._note_away(False)  # at last: a program sends the queue then

    @property
    def _turn_seconds(self) -> float:
        """How long a call of a turn may take, so that turns do not pile up."""
        return min(self._interval, _HEARTBEAT_SECONDS)

    async def _heartbeat(self, session_id: str) -> None:
        sent = self._now()
        try:
            async with asyncio.timeout(self._turn_seconds):
                answer = await self._heartbeats.record_heartbeat(session_id)
        except _AWAY:
            await self._unanswered(session_id)
        except LibraryRefusal as refusal:
            self._compare_clocks(sent, refusal.headers)
            if refusal.code == "SESSION_ALREADY_ENDED" and refusal.meta.get("end_reason") == "timeout":
                await self._continue(session_id, refusal.meta)
            elif refusal.status in (404, 409):
                await self._release(session_id)
                self._ended(refusal)
            else:
                await self._unanswered(session_id)
        else:
            self._compare_clocks(sent, answer.headers)
            await self._acknowledged(session_id, answer.headers.get("X-Seat-Lost-At", ""))

    async def _release(self, session_id: str) -> None:
        """The service counts nothing more of a session. If another player has signed in meanwhile, that was the answer
        to them: what is noted waits for the player who has played it."""
        if self._queue is not None and self._is_other_signed_in:
            await self._queue.put(self._end_of(session_id, ENDED_SESSION))
        else:
            await self._forget_note(session_id)

    @property
    def _player(self) -> str | None:
        """Whose this is: who was signed in when it began, or is known first."""
        self._user = self._user or self._signed_in
        return self._user

    @property
    def _signed_in(self) -> str | None:
        return self._queue.user if self._queue is not None else None

    @property
    def _is_other_signed_in(self) -> bool:
        return self._user is not None and self._signed_in not in (None, self._user)

    async def _unanswered(self, session_id: str) -> None:
        """The next heartbeat comes at its time. Until then the queue has what this process would lose in a crash."""
        try:
            if self._queue is not None:
                await self._queue.put(self._end_of(session_id, OPEN_END))
                self._is_noted = True
        finally:
            self._note_away(True)

    async def _acknowledged(self, session_id: str, lost_at: str) -> None:
        self._played.acknowledge()
        self._note_away(False)
        if lost_at and lost_at != self._seat_lost_at:
            self._notify(PlayNotice("seat_reclaimed", from_text(lost_at)))
        self._seat_lost_at = lost_at
        await self._forget_note(session_id)

    async def _continue(self, session_id: str, ended: Mapping[str, Any]) -> None:
        """The network or the machine was away for so long that the session has ended: begins another one.

        Until that has begun, this one stays the session of the game, so an end of the game is an end of it.
        """
        await self._keep_rests(self._end_of(session_id, ENDED_SESSION), ended)
        try:
            await self._start()
        except LibraryRefusal as refusal:
            if refusal.status != 401:
                self._ended(refusal)
            else:
                await self._lose_service()
        except _AWAY:
            await self._lose_service()
        else:
            self._note_away(False)

    async def _lose_service(self) -> None:
        """A session has ended, and none can begin. Without a queue, the next heartbeat tries it again."""
        if self._queue is None:
            self._note_away(True)
        else:
            await self._start_offline()

    def _ended(self, refusal: LibraryRefusal) -> None:
        self.id, self.is_over = None, True
        self._notify(PlayNotice("ended", code=refusal.code))

    def _note_away(self, is_away: bool) -> None:
        if is_away != self._is_away:
            self._is_away = is_away
            self._notify(PlayNotice("offline" if is_away else "online"))

    def _notify(self, notice: PlayNotice) -> None:
        """What a handler fails at is no reason to lose what was played. It is notified of its own error."""
        try:
            self._on_notice(notice)
        except Exception as error:
            with suppress(Exception):
                self._on_notice(PlayNotice("failed", error=error))

    def _compare_clocks(self, sent: datetime, headers: Mapping[str, str], start_time: str | None = None) -> None:
        """An answer has the time of the service, also where a proxy has removed its date: that of a new session."""
        service_time = date_of(headers) or (from_text(start_time) if start_time else None)
        if service_time is not None:
            self._played.compare(sent, service_time, self._now())

    async def _end(self) -> None:
        """Ends the session; what cannot be reported now is kept."""
        await self._advance(self._now())
        if self.id is None:
            if not self.is_over:
                await self._write_down(SESSION)
            return
        ended, sent = self._end_of(self.id, ENDED_SESSION), self._now()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._playtime.end_session(self.id, key=self._end_key)
            session: Mapping[str, Any] = answer.data["attributes"]
            headers = answer.headers
        except _AWAY as away:
            if self._queue is None:
                raise _unreachable(away) from away
            await self._queue.put(ended)
            return
        except LibraryRefusal as refusal:
            if refusal.status == 401 and self._queue is not None:
                # The token has expired, and nobody can renew it now. The end is sent with the next one.
                await self._queue.put(ended)
                return
            if refusal.status not in (404, 409):
                raise
            if self._is_other_signed_in:
                await self._release(self.id)
                return
            session, headers = refusal.meta, refusal.headers
        except asyncio.CancelledError:  # the player waits no longer
            if self._queue is not None:
                await self._queue.put(ended)
            raise
        # It may have ended before, at the last heartbeat that has arrived: what was played since then is not counted.
        self._compare_clocks(sent, headers)
        await self._keep_rests(self._end_of(self.id, ENDED_SESSION), session)

    async def _keep_rests(self, ended: QueueEntry, session: Mapping[str, Any]) -> None:
        """Keeps what was played after the service has ended the session, and no end of it any more."""
        if self._queue is not None:
            for rest in rests_of(ended, session):
                await self._queue.put(rest)
        await self._forget_note(ended.id)

    async def _forget_note(self, session_id: str) -> None:
        if self._queue is not None and self._is_noted:
            await self._queue.discard(session_id)
            self._is_noted = False

    async def _write_open(self) -> None:
        """A disk that fails keeps nobody from playing, and from the service: the next turn tries it again."""
        try:
            await self._write_down(OPEN_SESSION)
        except Exception as error:
            self._notify(PlayNotice("failed", error=error))

    async def _write_down(
        self, kind: str, stretch: Stretch | None = None, entry_id: str = "", user: str | None = None
    ) -> None:
        """Keeps a session that the service does not know, by default the current one."""
        if self._queue is None:
            return
        user = user or self._player
        (begin, end), entry_id = stretch or self._played.current, entry_id or self._offline_id
        if kind == SESSION and end - begin < SHORTEST:
            await self._queue.discard(entry_id)
            return
        times = {"start_time": self._text(begin), "end_time": self._text(end)}
        await self._queue.put(QueueEntry(entry_id, kind, {**self._said, **times, **self._held(kind)}, user=user))

    def _end_of(self, session_id: str, kind: str) -> QueueEntry:
        stretches = [[self._text(begin), self._text(end)] for begin, end in self._played.unacknowledged]
        said = {**self._said, "stretches": stretches, "key": self._end_key, **self._held(kind)}
        return QueueEntry(session_id, kind, said, user=self._player)

    def _held(self, kind: str) -> dict[str, str]:
        """Until when an entry is only sent by those who know that it is whole, by the clock of this machine."""
        if kind == SESSION:
            return {}
        is_open = kind in (OPEN_SESSION, OPEN_END)
        held = max(ABANDONED, timedelta(seconds=3 * self._interval)) if is_open else timedelta()
        return {"held_until": to_text(self._now() + held)}

    def _text(self, time: datetime) -> str:
        return to_text(self._played.at_service(time))


def _unreachable(away: Exception) -> LibraryUnreachable:
    if isinstance(away, LibraryUnreachable):
        return away
    return LibraryUnreachable(str(away) or f"no answer in {PATIENCE_SECONDS:.0f} seconds")
