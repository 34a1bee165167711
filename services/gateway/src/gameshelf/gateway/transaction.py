"""The only commit: a user's change, its reactions, and the word of it, in one transaction."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.gateway.database import Acquire
from gameshelf.gateway.observability.traces import current_traceparent
from gameshelf.gateway.outbox.messages import cloud_event, device_message, tell
from gameshelf.gateway.outbox.store import FeedMessage, Outgoing, close_stream
from gameshelf.gateway.reactions import REACTIONS
from gameshelf.gateway.streams import UserStreams
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event, Record

S = TypeVar("S")

MakeService = Callable[[Connection, Record, Clock], Any]
"""Makes a domain's service for one transaction, from its connection, its record of events and the clock."""

Services = Mapping[type[Any], MakeService]
"""How each domain's service is made, by its class."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit has to say to the user's devices: it took their stream from one number to another."""

    user_id: UUID
    previous_sequence: int
    last_sequence: int
    messages: Sequence[FeedMessage]
    events: Sequence[Event]
    to_kafka: bool


class Transaction:
    """One user's change. The user's row is locked, so nobody else writes this user's data meanwhile."""

    def __init__(self, connection: Any, user_id: UUID, last_sequence: int, services: Services, clock: Clock) -> None:
        self.connection = connection
        """An asyncpg connection inside a transaction."""
        self.user_id = user_id
        self.clock = clock
        self._last_sequence = last_sequence
        self._events: deque[Event] = deque()
        self._make = services
        self._services: dict[Any, Any] = {}
        self.discarded = False

    def of(self, service: type[S]) -> S:
        """A domain's service over this transaction, for example ``transaction.of(LibraryService)``."""
        made = self._services.get(service)
        if made is None:
            make = self._make[service]
            made = self._services[service] = make(self.connection, self._events.append, self.clock)
        typed: S = made
        return typed

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail without the rest: what it wrote and recorded is undone when it raises."""
        recorded = len(self._events)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            while len(self._events) > recorded:
                self._events.pop()
            raise

    def discard(self) -> None:
        """Nothing of the user's data changed after all: the commit tells nobody."""
        self._events.clear()
        self.discarded = True

    async def close(self, events_topic: str) -> Committed:
        """Runs the reactions and writes version, numbers, feed and outbox; what remains is the commit."""
        messages: list[FeedMessage] = []
        records: list[Outgoing] = []
        happened: list[Event] = []
        previous = self._last_sequence
        traceparent = current_traceparent()
        async for event in self._with_reactions():
            happened.append(event)
            self._last_sequence += 1
            told = tell(event)
            if told.device_type is not None:
                text = device_message(
                    told.device_type, self._last_sequence, event.occurred_at, told.device_payload or {}
                )
                messages.append(FeedMessage(self._last_sequence, event.occurred_at, text))
            if told.cloud_type is not None:
                value = cloud_event(told, event, self._last_sequence, traceparent)
                records.append(Outgoing(self.user_id, events_topic, str(self.user_id), value, traceparent))
        await close_stream(self.connection, self.user_id, self._last_sequence, messages, records)
        return Committed(self.user_id, previous, self._last_sequence, messages, happened, bool(records))

    async def _with_reactions(self) -> AsyncIterator[Event]:
        """The recorded events in their order, then what the reactions to them recorded, until there is no more."""
        while self._events:
            events = list(self._events)
            self._events.clear()
            for kind in dict.fromkeys(map(type, events)):
                for react in REACTIONS.get(kind, ()):
                    await react(self, [event for event in events if type(event) is kind])
            for event in events:
                yield event


class Transactions:
    """Opens transactions. ``committed`` is called after each commit, must not wait and must not fail."""

    def __init__(
        self,
        acquire: Acquire,
        streams: UserStreams,
        services: Services,
        events_topic: str,
        committed: Callable[[Committed], None],
        clock: Clock = utc_now,
    ) -> None:
        self._acquire = acquire
        self._streams = streams
        self._services = services
        self._events_topic = events_topic
        self._committed = committed
        self._clock = clock

    @asynccontextmanager
    async def begin(self, user_id: UUID) -> AsyncIterator[Transaction]:
        """A transaction on one user, committed when the block ends and rolled back when it raises.

        Raises UserErased. Round trips beside the block's own: begin, lock, close, commit.
        """
        async with self._acquire() as connection, connection.transaction():
            last_sequence = await self._streams.lock(connection, user_id)
            transaction = Transaction(connection, user_id, last_sequence, self._services, self._clock)
            yield transaction
            committed = None if transaction.discarded else await transaction.close(self._events_topic)
        if committed:
            self._committed(committed)
