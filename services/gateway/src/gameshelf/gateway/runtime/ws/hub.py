"""The open WebSockets of this instance, and the notifications of commits that reach them from all instances.

Commits are announced over Redis. An announcement may be lost, so it is only a hint: a connection sends messages that
arrive in sequence, and reads the feed in PostgreSQL whenever there is a gap. A sweep every few seconds finds changes
that were never announced (Redis away, a crash between the commit and its announcement, an erased account).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.outbox.store import FeedMessage
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS, not_cancelled, publish_all
from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.gateway.runtime.ws.sweep import streams_of
from gameshelf.kernel.clock import utc_now
from redis.asyncio import Redis

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 3.0
GATHER_SECONDS = 0.005
MAX_WAITING = 256
"""How many messages may wait for one connection; it reads further ones from the feed."""
_MAX_UNPUBLISHED = 10_000
_PREFIX = "library:user:"


class Subscriber:
    """One open connection of a user: its waiting messages, and its position in the user's stream of events.

    A subscriber that does not read the feed is only notified when the account is erased.
    """

    def __init__(self, user_id: UUID, *, reads: bool = True) -> None:
        self.user_id = user_id
        self.reads = reads
        self.since = utc_now()
        self.waiting: deque[tuple[int, str]] = deque()
        self.woken = asyncio.Event()
        self.known = 0
        """Every event up to this number is sent or waiting."""
        self.sent = 0
        """The number of the newest message that was sent, or the initial cursor: the client may resume after it."""
        self.behind = False
        """Whether the feed has to be read because something was missed."""
        self._announced: float = 0
        """The newest number that was announced since the current read of the feed began."""
        self.over = asyncio.Event()
        """Set when the connection has to end because the account was erased."""

    def start(self, at: int) -> None:
        """Follows the stream after number ``at``; drops earlier announcements, since the feed is read instead."""
        self.waiting.clear()
        self.known = self.sent = at
        self.catch_up()

    def offer(self, previous: int, last: int, messages: Sequence[tuple[int, str]]) -> None:
        """Handles the announcement of a commit that advanced the stream from ``previous`` to ``last``."""
        if last <= self.known or not self.reads:
            return
        self._announced = max(self._announced, last)
        if previous > self.known or len(self.waiting) + len(messages) > MAX_WAITING:
            self.behind = True
        elif not self.behind:
            self.waiting.extend(message for message in messages if message[0] > self.known)
            self.known = last
        self.woken.set()

    def catch_up(self) -> None:
        """Requests a read of the feed, because something may have been missed; also during a read."""
        self.behind = True
        self._announced = inf
        self.woken.set()

    def begin_reading(self) -> None:
        """Must be called before the feed is read: commits that are announced later may be missing in that read."""
        self._announced = 0

    def caught_up(self, messages: Sequence[FeedMessage], through: int) -> None:
        """Queues the new messages of a read of the feed, which contains all events up to ``through``.

        If a later event was announced during the read, the feed is read once more.
        """
        self.waiting.extend(
            (message.sequence, message.message) for message in messages if message.sequence > self.known
        )
        self.known = max(self.known, through)
        self.behind = self._announced > self.known
        if self.behind:
            self.woken.set()

    def end(self) -> None:
        """Ends the connection, because the account was erased."""
        self.over.set()


class Hub:
    """The subscribers of this instance. ``run`` does the background work."""

    def __init__(self, redis: Redis, acquire: Acquire) -> None:
        self._redis = redis
        self._acquire = acquire
        self._subscribers: dict[UUID, set[Subscriber]] = {}
        self._unpublished: asyncio.Queue[Committed] = asyncio.Queue(_MAX_UNPUBLISHED)
        self._channels = self._redis.pubsub(ignore_subscribe_messages=True)
        self._changed = asyncio.Event()
        self._states = StateLog(_log)

    def __len__(self) -> int:
        return sum(subscriber.reads for subscribers in self._subscribers.values() for subscriber in subscribers)

    def connections(self, user_id: UUID) -> int:
        """Counts the open WebSockets of a user on this instance."""
        return sum(subscriber.reads for subscriber in self._subscribers.get(user_id, ()))

    def subscribers(self, user_id: UUID) -> list[Subscriber]:
        """Returns the open WebSockets of a user on this instance, the oldest first."""
        found = (subscriber for subscriber in self._subscribers.get(user_id, ()) if subscriber.reads)
        return sorted(found, key=lambda subscriber: subscriber.since)

    async def count_instances(self, user_id: UUID) -> int:
        """Counts the instances that follow a user's commits, for a WebSocket or a heartbeat stream of the user.

        Raises REDIS_ERRORS.
        """
        channel = f"{_PREFIX}{user_id}"
        return sum(number for _, number in await self._redis.pubsub_numsub(channel))

    def streams(self, user_id: UUID) -> int:
        """Counts the open heartbeat streams of a caller on this instance."""
        return sum(not subscriber.reads for subscriber in self._subscribers.get(user_id, ()))

    def add_subscriber(self, subscriber: Subscriber) -> None:
        """Adds a subscriber, which is notified of its user's commits from now on."""
        self._subscribers.setdefault(subscriber.user_id, set()).add(subscriber)
        self._changed.set()

    def remove_subscriber(self, subscriber: Subscriber) -> None:
        subscribers = self._subscribers.get(subscriber.user_id, set())
        subscribers.discard(subscriber)
        if not subscribers:
            self._subscribers.pop(subscriber.user_id, None)
        self._changed.set()

    def committed(self, commit: Committed) -> None:
        """Announces a commit of this instance: directly to its own subscribers, over Redis to those elsewhere."""
        messages = [(message.sequence, message.message) for message in commit.messages]
        self._deliver(commit.user_id, commit.previous_sequence, commit.last_sequence, messages)
        if messages and not self._unpublished.full():
            self._unpublished.put_nowait(commit)

    def _deliver(self, user_id: UUID, previous: int, last: int, messages: Sequence[tuple[int, str]]) -> None:
        for subscriber in self._subscribers.get(user_id, ()):
            subscriber.offer(previous, last, messages)

    async def run(self) -> None:
        """Publishes, listens and sweeps until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(), name="hub publish")
            tasks.create_task(self._listen(), name="hub listen")
            tasks.create_task(self._sweep(), name="hub sweep")

    async def _publish(self) -> None:
        while not_cancelled():
            commits = [await self._unpublished.get()]
            await asyncio.sleep(GATHER_SECONDS)  # under load many commits share a round trip
            while not self._unpublished.empty() and len(commits) < 500:
                commits.append(self._unpublished.get_nowait())
            try:
                await publish_all(
                    self._redis, [(f"{_PREFIX}{commit.user_id}", _announcement(commit)) for commit in commits]
                )
            except Exception as error:
                # The sweep of each instance finds what its connections missed.
                self._begin_failure("publish", error)
            else:
                self._states.end("publish", "commits are announced to other instances again")

    async def _listen(self) -> None:
        while not_cancelled():
            try:
                await self._follow_channels()
            except Exception as error:
                self._begin_failure("listen", error)
                for subscribers in list(self._subscribers.values()):
                    for subscriber in subscribers:
                        subscriber.catch_up()
                await asyncio.sleep(1)
                with suppress(*REDIS_ERRORS):
                    await self._channels.aclose()  # type: ignore[no-untyped-call]
                self._channels = self._redis.pubsub(ignore_subscribe_messages=True)

    async def _follow_channels(self) -> None:
        followed: set[UUID] = set()
        while not_cancelled():
            connected = set(self._subscribers)
            if connected - followed:
                await self._channels.subscribe(*(f"{_PREFIX}{user_id}" for user_id in connected - followed))
            if followed - connected:
                await self._channels.unsubscribe(*(f"{_PREFIX}{user_id}" for user_id in followed - connected))
            followed = connected
            if not followed:
                self._changed.clear()
                await self._changed.wait()
                continue
            message = await self._channels.get_message(timeout=0.2)
            self._states.end("listen", "commits of other instances are received again")
            while message is not None:
                self._receive(message)
                message = await self._channels.get_message(timeout=0)

    def _receive(self, message: dict[str, Any]) -> None:
        try:
            user_id = UUID(message["channel"].decode().removeprefix(_PREFIX))
            previous, last, messages = decode(message["data"])
            self._deliver(user_id, int(previous), int(last), [(int(number), str(text)) for number, text in messages])
        except (ValueError, TypeError):
            _log.warning("ignored a malformed message on one of the service's Redis channels")

    def _begin_failure(self, part: str, error: Exception) -> None:
        """Logs a failure once, with its traceback if it is a defect; devices then wait for the sweep."""
        message = "Redis is away, devices receive changes of other instances a few seconds late: %s"
        self._states.begin(
            part, message, type(error).__name__, error=None if isinstance(error, REDIS_ERRORS) else error
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                _log.warning("the sweep over open WebSockets failed and will be repeated", exc_info=True)

    async def sweep(self) -> None:
        """Finds changes that were never announced, for all connections. One round trip per thousand users."""
        user_ids = list(self._subscribers)
        for start in range(0, len(user_ids), 1000):
            some = user_ids[start : start + 1000]
            # Noted before the database is read: a commit that is announced meanwhile is newer than this read.
            known = {
                subscriber: subscriber.known for user_id in some for subscriber in self._subscribers.get(user_id, ())
            }
            async with self._acquire() as connection:
                streams = await streams_of(connection, some)
            self._compare(known, streams)

    def _compare(self, known: Mapping[Subscriber, int], streams: Mapping[UUID, tuple[int, bool]]) -> None:
        for subscriber, before in known.items():
            found = streams.get(subscriber.user_id)
            # A user without a row has no data yet, or is erased. A subscriber that knows events has seen the row.
            if found is None:
                is_over, last = before > 0, 0
            else:
                last, is_over = found
            if is_over:
                subscriber.end()
            elif last > subscriber.known or last < before:  # lower after a restore: then everything is re-read
                subscriber.catch_up()


def _announcement(commit: Committed) -> bytes:
    messages = [(message.sequence, message.message) for message in commit.messages]
    return encode([commit.previous_sequence, commit.last_sequence, messages])
