"""Every open WebSocket of this instance, and how word reaches it from whichever instance committed it.

Word of a commit travels by Redis and may be lost: it is a hint. The feed in PostgreSQL is what a connection follows: it
sends what comes in sequence, and reads the feed whenever there is a gap. A sweep every few seconds finds what no hint
told of (Redis away, a crash between a commit and its word, an erased account).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.outbox.store import FeedMessage
from gameshelf.gateway.runtime.storage.redis import goes_on, publish_all
from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.gateway.runtime.ws.sweep import streams_of
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 3.0
GATHER_SECONDS = 0.005
MAX_WAITING = 256
"""How many messages may wait for one connection; what comes beyond them it reads from the feed."""
_MAX_UNPUBLISHED = 10_000
_PREFIX = "library:user:"


class Subscriber:
    """One open connection of a user: what waits to be sent, and up to where it knows the stream.

    One that does not read the feed hears of nothing but the end of the account.
    """

    def __init__(self, user_id: UUID, *, reads: bool = True) -> None:
        self.user_id = user_id
        self.reads = reads
        self.waiting: deque[tuple[int, str]] = deque()
        self.woken = asyncio.Event()
        self.known = 0
        """Every event up to this number is sent or waiting."""
        self.sent = 0
        """The number of the newest message that was sent, or where the connection began: what it may resume from."""
        self.behind = False
        """Whether the feed has to be read because something was missed."""
        self._heard: float = 0
        """The newest number that was told of since the feed began to be read."""
        self.over = asyncio.Event()
        """Set when the connection has to end, because the account is gone."""

    def start(self, at: int) -> None:
        """Follows the stream after number ``at``; hints that came before count no more, the feed is read instead."""
        self.waiting.clear()
        self.known = self.sent = at
        self.catch_up()

    def offer(self, previous: int, last: int, messages: Sequence[tuple[int, str]]) -> None:
        """Word of a commit that took the stream from ``previous`` to ``last``."""
        if last <= self.known or not self.reads:
            return
        self._heard = max(self._heard, last)
        if previous > self.known or len(self.waiting) + len(messages) > MAX_WAITING:
            self.behind = True
        elif not self.behind:
            self.waiting.extend(message for message in messages if message[0] > self.known)
            self.known = last
        self.woken.set()

    def catch_up(self) -> None:
        """Something may have been missed: read the feed, also where it is being read right now."""
        self.behind = True
        self._heard = inf
        self.woken.set()

    def begin_reading(self) -> None:
        """The feed is about to be read: what is told of from now on may not be in it yet."""
        self._heard = 0

    def caught_up(self, messages: Sequence[FeedMessage], through: int) -> None:
        """The feed was read: what is new in it waits to be sent. Hints count again, unless one came meanwhile of
        something that was not in it; then it is read once more.
        """
        self.waiting.extend(
            (message.sequence, message.message) for message in messages if message.sequence > self.known
        )
        self.known = max(self.known, through)
        self.behind = self._heard > self.known
        if self.behind:
            self.woken.set()

    def end(self) -> None:
        """The account is gone."""
        self.over.set()


class Hub:
    """The subscribers of this instance. ``run`` is its background work."""

    def __init__(self, redis: Redis, acquire: Acquire) -> None:
        self._redis = redis
        self._acquire = acquire
        self._subscribers: dict[UUID, set[Subscriber]] = {}
        self._unpublished: asyncio.Queue[Committed] = asyncio.Queue(_MAX_UNPUBLISHED)
        self._channels = self._redis.pubsub(ignore_subscribe_messages=True)
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return sum(one.reads for subscribers in self._subscribers.values() for one in subscribers)

    def connections(self, user_id: UUID) -> int:
        """How many connections of this user are open here."""
        return sum(one.reads for one in self._subscribers.get(user_id, ()))

    def streams(self, user_id: UUID) -> int:
        """How many streams of heartbeats of this caller are open here."""
        return sum(not one.reads for one in self._subscribers.get(user_id, ()))

    def add(self, subscriber: Subscriber) -> None:
        """From now on the subscriber hears of its user's commits."""
        self._subscribers.setdefault(subscriber.user_id, set()).add(subscriber)
        self._changed.set()

    def remove(self, subscriber: Subscriber) -> None:
        subscribers = self._subscribers.get(subscriber.user_id, set())
        subscribers.discard(subscriber)
        if not subscribers:
            self._subscribers.pop(subscriber.user_id, None)
        self._changed.set()

    def committed(self, commit: Committed) -> None:
        """Word of a commit of this instance: at once to its own subscribers, by Redis to those of the others."""
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
        while goes_on():
            commits = [await self._unpublished.get()]
            await asyncio.sleep(GATHER_SECONDS)  # under load many share a round trip
            while not self._unpublished.empty() and len(commits) < 500:
                commits.append(self._unpublished.get_nowait())
            try:
                await publish_all(self._redis, [(f"{_PREFIX}{commit.user_id}", _word(commit)) for commit in commits])
            except (RedisError, OSError):
                # The sweep of each instance finds what its connections missed.
                _log.warning("Redis is away: devices on other instances hear of changes a little later")

    async def _listen(self) -> None:
        while goes_on():
            try:
                await self._follow_channels()
            except (RedisError, OSError):
                for subscribers in list(self._subscribers.values()):
                    for subscriber in subscribers:
                        subscriber.catch_up()
                await asyncio.sleep(1)
                await self._channels.aclose()  # type: ignore[no-untyped-call]
                self._channels = self._redis.pubsub(ignore_subscribe_messages=True)

    async def _follow_channels(self) -> None:
        followed: set[UUID] = set()
        while goes_on():
            wanted = set(self._subscribers)
            if wanted - followed:
                await self._channels.subscribe(*(f"{_PREFIX}{user_id}" for user_id in wanted - followed))
            if followed - wanted:
                await self._channels.unsubscribe(*(f"{_PREFIX}{user_id}" for user_id in followed - wanted))
            followed = wanted
            if not followed:
                self._changed.clear()
                await self._changed.wait()
                continue
            message = await self._channels.get_message(timeout=0.2)
            while message is not None:
                self._hear(message)
                message = await self._channels.get_message(timeout=0)

    def _hear(self, message: dict[str, Any]) -> None:
        try:
            user_id = UUID(message["channel"].decode().removeprefix(_PREFIX))
            previous, last, messages = decode(message["data"])
        except (ValueError, TypeError):
            _log.warning("a message on a Redis channel of ours is not ours")
            return
        self._deliver(user_id, previous, last, [(number, text) for number, text in messages])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                _log.warning("the sweep over open WebSockets failed; the next one comes soon", exc_info=True)

    async def sweep(self) -> None:
        """Finds what no hint told of, for all connections. One round trip for each thousand users."""
        user_ids = list(self._subscribers)
        for start in range(0, len(user_ids), 1000):
            some = user_ids[start : start + 1000]
            # Taken before the database is read: what a commit tells of while it is read is newer than what is read.
            known = {one: one.known for user_id in some for one in self._subscribers.get(user_id, ())}
            async with self._acquire() as connection:
                streams = await streams_of(connection, some)
            self._compare(known, streams)

    def _compare(self, known: Mapping[Subscriber, int], streams: Mapping[UUID, tuple[int, bool]]) -> None:
        for subscriber, before in known.items():
            found = streams.get(subscriber.user_id)
            # A user without a row was never written, or is erased; a subscriber that knows of events saw the row.
            if found is None:
                is_over, last = before > 0, 0
            else:
                last, is_over = found
            if is_over:
                subscriber.end()
            elif last > subscriber.known or last < before:  # back, after a restore: then all is to be read anew
                subscriber.catch_up()


def _word(commit: Committed) -> bytes:
    messages = [(message.sequence, message.message) for message in commit.messages]
    return encode([commit.previous_sequence, commit.last_sequence, messages])
