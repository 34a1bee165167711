"""What was played without the network: kept first, sent later, counted once.

Each element has an id of its own, which the service knows it by. So a crash between sending and removing does no harm:
it is sent again, and is a duplicate. An element that is refused does not hold up the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import LibraryRefusal, LibraryUnreachable
from gameshelf.client.etags import subject_of
from gameshelf.client.groups import AnyId
from gameshelf.client.operations import AchievementsCalls, PlaytimeCalls
from gameshelf.client.queue_entries import (
    ACHIEVEMENT,
    ENDED_SESSION,
    OPEN_END,
    OPEN_SESSION,
    SESSION,
    from_text,
    is_held,
    moved_of,
    refused_by_id,
    rests_of,
    session_of,
    to_text,
)
from gameshelf.client.queue_stores import QueueEntry, QueueStore
from gameshelf.client.retries import date_of
from gameshelf.client.tokens import TokenSource

ENDED_JUST_NOW = timedelta(seconds=5)
"""An end that is reported later would count the time until then as well."""
BATCH = 100
"""The service takes so many elements of either kind at once."""
MOST_FAILURES = 3
"""So many answers with 500 end a run: the service is ill, and not one of its elements."""
_OF_ELEMENTS = (400, 413, 422)
"""Statuses that are about a body: without one of its elements it may be accepted."""
P = ParamSpec("P")
T = TypeVar("T")
_Send = Callable[[Sequence[QueueEntry]], Awaitable[LibraryAnswer[list[Any]]]]


@dataclass(frozen=True, slots=True)
class SentWork:
    """What became of the entries that were sent."""

    sent: tuple[QueueEntry, ...]
    """The service has them."""
    refused: tuple[QueueEntry, ...]
    """They stay in the queue with their ``code``, until they are discarded or retried."""


class PlayQueue:
    """Sessions and achievements of the user of the token that the service does not have yet."""

    def __init__(
        self,
        playtime: PlaytimeCalls,
        achievements: AchievementsCalls,
        store: QueueStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tokens: TokenSource | None = None,
    ) -> None:
        """Without ``tokens`` everything in the store is the user's."""
        self._playtime, self._achievements, self._store, self._now = playtime, achievements, store, now
        self._calls = playtime, achievements
        self._tokens = tokens
        self._alone = asyncio.Lock()

    async def add_session(
        self,
        product_id: AnyId,
        start_time: datetime,
        end_time: datetime,
        *,
        device_id: str,
        platform: str | None = None,
        client_session_id: str | None = None,
    ) -> QueueEntry:
        """Keeps a session that was played. Its id is unique for the device; a random one by default."""
        attributes = {
            "product_id": str(product_id),
            "start_time": to_text(start_time),
            "end_time": to_text(end_time),
            "device_id": device_id,
            "platform": platform,
        }
        return await self._add(client_session_id, SESSION, attributes)

    async def add_unlock(
        self,
        product_id: AnyId,
        api_name: str,
        *,
        happened_at: datetime | None = None,
        device_id: str | None = None,
        client_id: str | None = None,
    ) -> QueueEntry:
        """Keeps the unlock of an achievement."""
        said = {"product_id": str(product_id), "api_name": api_name, "unlocked": True, "device_id": device_id}
        return await self._add(client_id, ACHIEVEMENT, {**said, "happened_at": to_text(happened_at or self._now())})

    async def add_progress(
        self,
        product_id: AnyId,
        api_name: str,
        current_progress: int,
        *,
        happened_at: datetime | None = None,
        device_id: str | None = None,
        client_id: str | None = None,
    ) -> QueueEntry:
        """Keeps progress towards an achievement."""
        said = {"product_id": str(product_id), "api_name": api_name, "current_progress": current_progress}
        time = to_text(happened_at or self._now())
        return await self._add(client_id, ACHIEVEMENT, {**said, "device_id": device_id, "happened_at": time})

    @property
    def user(self) -> str | None:
        """The player who is signed in: whose token was sent last. None if that is not known yet."""
        token = self._tokens.known if self._tokens is not None else None
        return subject_of(token) if token is not None else None

    async def entries(self) -> list[QueueEntry]:
        """Everything that is kept of this user, the oldest first."""
        user = self.user
        found = await _in_thread(self._store.load)
        return [entry for entry in found if user is None or entry.user in (None, user)]

    async def discard(self, *ids: str) -> None:
        """Removes entries, such as refused ones."""
        await _in_thread(self._store.remove, ids)

    async def retry(self, *ids: str) -> None:
        """Lets refused entries be sent again, such as after the player has access again."""
        for entry in await self.entries():
            if entry.id in ids:
                await self.put(replace(entry, code=None))

    async def send(self) -> SentWork:
        """Sends everything that was not refused. Raises LibraryUnreachable: what was not sent by then stays.

        What the service fails at does not hold up the rest; its error is raised at the end.
        """
        async with self._alone:
            if self._tokens is not None and await self.entries():
                await self._tokens.current()  # its user is the one to send for
            # Another player may sign in while the run waits for an answer.
            playtime, achievements = self._calls
            self._playtime = playtime.with_options(user=self.user)
            self._achievements = achievements.with_options(user=self.user)
            failures = _Failures()
            await self._settle(failures)
            waiting = [entry for entry in await self.entries() if entry.code is None]
            sent: list[QueueEntry] = []
            refused: list[QueueEntry] = []
            for kind, send in ((SESSION, self._send_sessions), (ACHIEVEMENT, self._send_achievements)):
                of_kind = [entry for entry in waiting if entry.kind == kind]
                for begin in range(0, len(of_kind), BATCH):
                    with failures.after():
                        await self._send_some(of_kind[begin : begin + BATCH], send, sent, refused)
            if failures.first is not None:
                raise failures.first
            return SentWork(tuple(sent), tuple(refused))

    async def put(self, entry: QueueEntry) -> QueueEntry:
        """Keeps an entry, of this user if it names none; play sessions write themselves down with it."""
        own = entry if entry.user is not None else replace(entry, user=self.user)
        await _in_thread(self._store.put, own)
        return own

    async def _settle(self, failures: "_Failures") -> None:
        """Turns what play sessions have written down into sessions that can be sent."""
        for entry in await self.entries():
            if is_held(entry, self._now()):
                continue
            if entry.kind == OPEN_SESSION:
                session = session_of(entry)
                if session is not None:
                    await self.put(session)
                else:
                    await self.discard(entry.id)
            elif entry.kind in (OPEN_END, ENDED_SESSION):
                with failures.after():
                    await self._settle_end(entry)

    async def _settle_end(self, entry: QueueEntry) -> None:
        """Reports an end, or adds what was played after the service has ended the session by itself."""
        said = entry.attributes
        try:
            session: Mapping[str, Any] = (await self._playtime.get_session(entry.id)).data["attributes"]
            if session["status"] == "active":
                ago = self._now() - from_text(said["held_until"])  # below zero: the clock has been set back since then
                if entry.kind == OPEN_END or not timedelta() <= ago <= ENDED_JUST_NOW:
                    return  # until it ends at its last heartbeat: ended now, it would be longer than it was
                session = (await self._playtime.end_session(entry.id, key=said["key"])).data["attributes"]
        except LibraryRefusal as refusal:
            if refusal.status not in (404, 409):
                raise
            session = refusal.meta
        for rest in rests_of(entry, session):
            await self.put(rest)
        await self.discard(entry.id)

    async def _send_some(
        self, entries: Sequence[QueueEntry], send: _Send, sent: list[QueueEntry], refused: list[QueueEntry]
    ) -> None:
        try:
            answer = await send(entries)
        except LibraryRefusal as refusal:
            if refusal.status not in _OF_ELEMENTS:
                raise
            if len(entries) > 1:  # one of them is to blame
                half = len(entries) // 2
                await self._send_some(entries[:half], send, sent, refused)
                await self._send_some(entries[half:], send, sent, refused)
                return
            codes: Mapping[str, str | None] = {entries[0].id: refusal.code}
        else:
            codes = refused_by_id(answer.data)
        for entry in entries:
            if entry.id in codes:
                refused.append(replace(entry, code=codes[entry.id]))
                await self.put(refused[-1])
        done = [entry for entry in entries if entry.id not in codes]
        await _in_thread(self._store.remove, [entry.id for entry in done])
        sent += done

    async def _send_sessions(self, entries: Sequence[QueueEntry]) -> LibraryAnswer[list[Any]]:
        """Imports sessions, and once more those whose times were refused because of this machine's clock."""
        answer = await self._import_sessions(entries)
        server_time = date_of(answer.headers)
        refused = refused_by_id(answer.data)
        bad_times = {one for one, code in refused.items() if code == "VALIDATION_ERROR"}
        if server_time is None or not bad_times:
            return answer
        moved = moved_of(entries, bad_times, self._now(), server_time)
        if not moved:
            return answer
        for entry in moved:  # first: a crash after this import repeats the same one
            await self.put(entry)
        later = await self._import_sessions(moved)
        by_id = {one["attributes"]["client_session_id"]: one for one in (*answer.data, *later.data)}
        return replace(answer, data=list(by_id.values()))

    async def _import_sessions(self, entries: Sequence[QueueEntry]) -> LibraryAnswer[list[Any]]:
        sessions: Any = [{"client_session_id": entry.id, **_without_nulls(entry.attributes)} for entry in entries]
        return await self._playtime.import_sessions({"sessions": sessions})

    async def _send_achievements(self, entries: Sequence[QueueEntry]) -> LibraryAnswer[list[Any]]:
        achievements: Any = [{"client_id": entry.id, **_without_nulls(entry.attributes)} for entry in entries]
        return await self._achievements.import_achievements({"achievements": achievements})

    async def _add(self, entry_id: str | None, kind: str, attributes: Mapping[str, Any]) -> QueueEntry:
        return await self.put(QueueEntry(entry_id or str(uuid4()), kind, attributes))


class _Failures:
    """What the service has failed at while it does the rest."""

    def __init__(self) -> None:
        self.first: LibraryUnreachable | None = None
        self._count = 0

    @contextmanager
    def after(self) -> Iterator[None]:
        """Around some work. Lets through what would be the same for all of it: no service, no token, a limit."""
        try:
            yield
        except LibraryUnreachable as away:
            self._count += 1
            if away.refusal is None or away.refusal.status != 500 or self._count == MOST_FAILURES:
                raise
            self.first = self.first or away


async def _in_thread(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """A thread cannot be cancelled. Its caller can, and waits for it all the same: so writes keep their order."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **options))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _without_nulls(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}
