"""What was played without the network: kept first, sent later, counted once.

Each element has an id of its own, which the service knows it by. So a crash between sending and removing does no harm:
it is sent again, and is a duplicate. An element that is refused does not hold up the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import LibraryRefusal
from gameshelf.client.groups import AnyId
from gameshelf.client.operations import AchievementsCalls, PlaytimeCalls
from gameshelf.client.queue_stores import QueueEntry, QueueStore

SESSION, ACHIEVEMENT = "session", "achievement"
OPEN_SESSION, ENDED_SESSION = "open_session", "ended_session"
"""A session that is being played without the network, and one whose end could not be reported."""
ABANDONED = timedelta(minutes=10)
"""A session that is played is written down more often: after a crash this one ended when it was written last."""
ENDED_JUST_NOW = timedelta(seconds=60)
BATCH = 100
"""The service takes so many elements of either kind at once."""
_OF_ELEMENTS = (400, 413, 422)
"""Statuses that are about a body: without one of its elements it may be accepted."""
_Send = Callable[[Sequence[QueueEntry]], Awaitable[LibraryAnswer[list[Any]]]]


@dataclass(frozen=True, slots=True)
class SentWork:
    """What became of the entries that were sent."""

    sent: tuple[QueueEntry, ...]
    """The service has them."""
    refused: tuple[QueueEntry, ...]
    """They stay in the queue with their ``code``, until they are discarded or retried."""


class PlayQueue:
    """Sessions and achievements of one user that the service does not have yet."""

    def __init__(
        self,
        playtime: PlaytimeCalls,
        achievements: AchievementsCalls,
        store: QueueStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._playtime, self._achievements, self._store, self._now = playtime, achievements, store, now
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

    async def entries(self) -> list[QueueEntry]:
        """Everything that is kept, the oldest first."""
        return await asyncio.to_thread(self._store.load)

    async def discard(self, *ids: str) -> None:
        """Removes entries, such as refused ones."""
        await asyncio.to_thread(self._store.remove, ids)

    async def retry(self, *ids: str) -> None:
        """Lets refused entries be sent again, such as after the player has access again."""
        for entry in await self.entries():
            if entry.id in ids:
                await asyncio.to_thread(self._store.put, replace(entry, code=None))

    async def send(self) -> SentWork:
        """Sends everything that was not refused. Raises LibraryUnreachable: what was not sent by then stays."""
        async with self._alone:
            await self._settle()
            waiting = [entry for entry in await self.entries() if entry.code is None]
            sent: list[QueueEntry] = []
            refused: list[QueueEntry] = []
            for kind, send in ((SESSION, self._send_sessions), (ACHIEVEMENT, self._send_achievements)):
                of_kind = [entry for entry in waiting if entry.kind == kind]
                for begin in range(0, len(of_kind), BATCH):
                    await self._send_some(of_kind[begin : begin + BATCH], send, sent, refused)
            return SentWork(tuple(sent), tuple(refused))

    async def put(self, entry: QueueEntry) -> None:
        """Keeps an entry as it is; play sessions write themselves down with it."""
        await asyncio.to_thread(self._store.put, entry)

    async def _settle(self) -> None:
        """Turns what play sessions have written down into sessions that can be sent."""
        for entry in await self.entries():
            if entry.kind == OPEN_SESSION and self._now() - from_text(entry.attributes["end_time"]) > ABANDONED:
                await self.put(replace(entry, kind=SESSION))
            elif entry.kind == ENDED_SESSION:
                await self._settle_end(entry)

    async def _settle_end(self, entry: QueueEntry) -> None:
        """Reports an end, or adds what was played after the service has ended the session by itself."""
        said = entry.attributes
        ended_at = from_text(said["end_time"])
        try:
            session: Mapping[str, Any] = (await self._playtime.get_session(entry.id)).data["attributes"]
            if session["status"] == "active":
                if self._now() - ended_at > ENDED_JUST_NOW:
                    return  # until it ends at its last heartbeat: ended now, it would be longer than it was
                await self._playtime.end_session(entry.id, key=said["key"])
                session = {"end_reason": "completed"}
        except LibraryRefusal as refusal:
            if refusal.status not in (404, 409):
                raise
            session = refusal.meta
        rest = rest_of(entry, session)
        if rest is not None:
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
                await asyncio.to_thread(self._store.put, refused[-1])
        done = [entry for entry in entries if entry.id not in codes]
        await asyncio.to_thread(self._store.remove, [entry.id for entry in done])
        sent += done

    async def _send_sessions(self, entries: Sequence[QueueEntry]) -> LibraryAnswer[list[Any]]:
        sessions: Any = [{"client_session_id": entry.id, **_without_nulls(entry.attributes)} for entry in entries]
        return await self._playtime.import_sessions({"sessions": sessions})

    async def _send_achievements(self, entries: Sequence[QueueEntry]) -> LibraryAnswer[list[Any]]:
        achievements: Any = [{"client_id": entry.id, **_without_nulls(entry.attributes)} for entry in entries]
        return await self._achievements.import_achievements({"achievements": achievements})

    async def _add(self, entry_id: str | None, kind: str, attributes: Mapping[str, Any]) -> QueueEntry:
        entry = QueueEntry(entry_id or str(uuid4()), kind, attributes)
        await asyncio.to_thread(self._store.put, entry)
        return entry


def refused_by_id(results: Sequence[Any]) -> dict[str, str | None]:
    """The codes of the elements that were rejected."""
    rejected = [one["attributes"] for one in results if one["attributes"]["result"] == "rejected"]
    return {one.get("client_session_id") or one["client_id"]: one["code"] for one in rejected}


def rest_of(ended: QueueEntry, session: Mapping[str, Any]) -> QueueEntry | None:
    """What was played after a session had timed out. Its id follows from the session's, so it counts once."""
    if session.get("end_reason") != "timeout":
        return None
    said = {name: ended.attributes.get(name) for name in ("product_id", "device_id", "platform", "end_time")}
    begin = max(from_text(session["end_time"]), from_text(ended.attributes["awake_since"]))
    if from_text(ended.attributes["end_time"]) - begin < timedelta(seconds=1):
        return None
    return QueueEntry(f"{ended.id}-rest", SESSION, {**said, "start_time": to_text(begin)})


def from_text(text: str) -> datetime:
    """A time as the service and this queue write it."""
    return datetime.fromisoformat(text)


def to_text(time: datetime) -> str:
    """A time as the service reads it. One without a zone is the machine's."""
    return time.astimezone(UTC).isoformat()


def _without_nulls(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}
