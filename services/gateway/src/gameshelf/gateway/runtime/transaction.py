"""The only commit: a user's change, its reactions, and what is published of it, in one transaction."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.gateway.runtime.client_ids import current_client_id
from gameshelf.gateway.runtime.database import Acquire, hardly_wait, limit_lock_wait
from gameshelf.gateway.runtime.observability.traces import current_traceparent
from gameshelf.gateway.runtime.outbox.erased_names import take_name_out
from gameshelf.gateway.runtime.outbox.forwarded import ForwardedEvents
from gameshelf.gateway.runtime.outbox.messages import EventForm, EventForms, Published, cloud_event, device_message
from gameshelf.gateway.runtime.outbox.store import FeedMessage, Outgoing, close_streams
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event, Record
from gameshelf.kernel.serialise import Serialise

S = TypeVar("S")

_ALL = 10_000
"""More events than ever wait for a user."""


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a domain's service is made from, for one transaction."""

    connection: Connection
    record: Record
    clock: Clock
    serialise: Serialise
    """Answers the port by the user's row."""


MakeService = Callable[[ServiceContext], Any]
"""Makes a domain's service for one transaction."""

Services = Mapping[type[Any], MakeService]
"""How each domain's service is made, by its class."""

Reaction = Callable[["Transaction", UUID, Sequence[Any]], Awaitable[None]]
"""What a domain does when something happens, in the same transaction: all events of one type about one user."""

Reactions = Mapping[type[Event], Sequence[Reaction]]


@dataclass(frozen=True, slots=True)
class EventRules:
    """What becomes of the events of a transaction."""

    forms: EventForms
    reactions: Reactions
    forwarded: ForwardedEvents
    bulk_topics: Set[str] = frozenset()
    """Topics that get many records at once."""


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
    """A change of one user's data, or of several users'. Their rows are locked: nobody else writes meanwhile."""

    def __init__(
        self, connection: Any, streams: UserStreams, services: Services, rules: EventRules, clock: Clock
    ) -> None:
        self.connection = connection
        """An asyncpg connection inside a transaction."""
        self.clock = clock
        self._streams = streams
        self._sequences: dict[UUID, int] = {}
        self._events: deque[Event] = deque()
        self._make = services
        self._rules = rules
        self._services: dict[Any, Any] = {}
        self._has_taken_forwarded = False
        self.discarded = False
        self._origin = current_client_id()

    async def lock(self, user_id: UUID, *, wait: bool = True) -> None:
        """Makes the user's row this transaction's. Raises UserErased; without ``wait`` LockNotAvailableError."""
        self._sequences[user_id] = await self._streams.lock(self.connection, user_id, wait=wait)

    async def serialise(self, user_id: UUID) -> None:
        """Answers the port of the domains: the user's row orders their writes. No round trip for a user whose row is
        this transaction's already, as it is where one was begun on the user. Raises UserErased.
        """
        if user_id not in self._sequences:
            await self.lock(user_id)

    async def lock_free(self, user_ids: Collection[UUID]) -> Set[UUID]:
        """Takes the rows of those users that nobody holds, and that are not erased; which they are. Waits for none."""
        locked = await self._streams.lock_free(self.connection, user_ids)
        self._sequences |= locked
        return locked.keys()

    @property
    def user_id(self) -> UUID:
        """The one user that this is about."""
        [user_id] = self._sequences
        return user_id

    def of(self, service: type[S]) -> S:
        """A domain's service over this transaction, for example ``transaction.of(LibraryService)``."""
        made = self._services.get(service)
        if made is None:
            make = self._make[service]
            context = ServiceContext(self.connection, self.record, self.clock, self.serialise)
            made = self._services[service] = make(context)
        typed: S = made
        return typed

    def record(self, event: Event) -> None:
        """Takes an event: it is told with the commit, or forwarded when it is about somebody else."""
        self._events.append(event)

    async def take_forwarded(self, limit: int) -> int:
        """Takes up to so many events of each user that others have forwarded; they are published before all others.

        How many they are.
        """
        self._has_taken_forwarded = True
        take = self._rules.forwarded.take
        taken = [event for user_id in self._sequences for event in await take(self.connection, user_id, limit)]
        self._events.extendleft(reversed(taken))
        return len(taken)

    async def take_name_out(self, erased_id: UUID, user_ids: Collection[UUID]) -> None:
        """Takes an erased account's id out of what is kept for these users, whose rows are this transaction's."""
        await take_name_out(self.connection, erased_id, user_ids, self._rules.forwarded.keeping_names)

    def _may_be_overtaken(self, event: Event) -> bool:
        """Whether others may have forwarded something earlier that would be published after it, as if it were newer."""
        return event in self._rules.forwarded and event.user_id in self._sequences

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail without the rest: what it wrote, recorded and locked is undone when it raises."""
        recorded = len(self._events)
        locked = dict(self._sequences)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            while len(self._events) > recorded:
                self._events.pop()
            self._sequences = locked
            raise

    def discard(self) -> None:
        """Nothing of the users' data changed after all: the commit tells nobody."""
        self._events.clear()
        self.discarded = True

    async def close(self, events_topic: str) -> tuple[list[Committed], list[Event]]:
        """Runs the reactions and writes version, numbers, feed and outbox; what remains is the commit.

        What it has to say to its users' devices, and the events of others, which are told in transactions of theirs.
        """
        others: list[Event] = []
        if not self._has_taken_forwarded and any(map(self._may_be_overtaken, self._events)):
            await self.take_forwarded(_ALL)
        users = {user_id: _UserEvents(sequence) for user_id, sequence in self._sequences.items()}
        publishing = _Publishing(self._rules, events_topic, current_traceparent(), self._origin)
        events = [event async for event in self._with_reactions()]
        await publishing.load(self.connection, [event for event in events if event.user_id in users])
        for event in events:
            if event.user_id in users:
                users[event.user_id].add(event, publishing)
            else:
                others.append(event)
        if others:
            await self._rules.forwarded.add(self.connection, others)
        if not users:
            return [], others
        await close_streams(
            self.connection,
            {user_id: one.last_sequence for user_id, one in users.items()},
            [message for one in users.values() for message in one.messages],
            [record for one in users.values() for record in one.records],
        )
        commits = [
            Committed(user_id, self._sequences[user_id], one.last_sequence, one.messages, one.events, bool(one.records))
            for user_id, one in users.items()
        ]
        return commits, others

    async def _with_reactions(self) -> AsyncIterator[Event]:
        """The recorded events in their order, then what the reactions to them recorded, until there is no more."""
        while self._events:
            events = list(self._events)
            self._events.clear()
            groups: dict[tuple[type[Event], UUID], list[Event]] = defaultdict(list)
            for event in events:
                if event.user_id in self._sequences:  # others react in a transaction of theirs
                    groups[type(event), event.user_id].append(event)
            for (kind, user_id), alike in groups.items():
                for react in self._rules.reactions.get(kind, ()):
                    await react(self, user_id, alike)
            for event in events:
                yield event


class _Publishing:
    """How one commit publishes its events."""

    def __init__(self, rules: EventRules, events_topic: str, traceparent: str | None, origin: str | None) -> None:
        self.rules = rules
        self.events_topic = events_topic
        self.traceparent = traceparent
        self.origin = origin
        self._loaded: dict[type[Event], Any] = {}

    async def load(self, connection: Connection, events: Sequence[Event]) -> None:
        """Reads what the messages need beside their events."""
        by_type: dict[type[Event], list[Event]] = defaultdict(list)
        for event in events:
            by_type[type(event)].append(event)
        for kind, alike in by_type.items():
            if load := self._form(kind).load:
                self._loaded[kind] = await load(connection, alike)

    def publish(self, event: Event) -> Published:
        form = self._form(type(event))
        return form.publish(event, self._loaded[type(event)]) if form.load else form.publish(event)

    def _form(self, kind: type[Event]) -> EventForm:
        form = self.rules.forms.get(kind)
        if form is None:
            raise TypeError(f"{kind.__name__} has no published form in any domain")
        return form


class _UserEvents:
    """What a commit publishes about one user."""

    def __init__(self, last_sequence: int) -> None:
        self.last_sequence = last_sequence
        self.events: list[Event] = []
        self.messages: list[FeedMessage] = []
        self.records: list[Outgoing] = []

    def add(self, event: Event, by: _Publishing) -> None:
        """Numbers an event, and makes its messages for devices and for Kafka."""
        self.last_sequence += 1
        self.events.append(event)
        published = by.publish(event)
        if published.device_type is not None:
            payload = published.device_payload or {}
            text = device_message(published.device_type, self.last_sequence, event.occurred_at, payload, by.origin)
            self.messages.append(FeedMessage(event.user_id, self.last_sequence, event.occurred_at, text))
        if published.cloud_type is not None:
            value = cloud_event(published, event, self.last_sequence, by.traceparent)
            topic = published.topic or by.events_topic
            is_bulk = topic in by.rules.bulk_topics
            self.records.append(
                Outgoing(event.user_id, topic, str(event.user_id), value, by.traceparent, is_bulk=is_bulk)
            )


class Transactions:
    """Opens transactions. ``committed`` is called after each commit, must not wait and must not fail.

    So is ``forwarded``, with the events of others that a commit has kept for them.
    """

    def __init__(
        self,
        acquire: Acquire,
        streams: UserStreams,
        services: Services,
        rules: EventRules,
        events_topic: str,
        committed: Callable[[Committed], None],
        forwarded: Callable[[Sequence[Event]], None] = lambda events: None,
        clock: Clock = utc_now,
    ) -> None:
        self._acquire = acquire
        self._streams = streams
        self._services = services
        self._rules = rules
        self._events_topic = events_topic
        self._committed = committed
        self._forwarded = forwarded
        self._clock = clock

    @asynccontextmanager
    async def begin(self, user_id: UUID, lock_wait_milliseconds: int | None = None) -> AsyncIterator[Transaction]:
        """A transaction on one user, committed when the block ends and rolled back when it raises. It waits for each
        lock ``lock_wait_milliseconds``, or as long as is usual.

        Raises UserErased. Round trips beside the block's own: begin, lock, close, commit.
        """
        async with self.begin_with_nobody() as transaction:
            if lock_wait_milliseconds is not None:
                await limit_lock_wait(transaction.connection, lock_wait_milliseconds)
            await transaction.lock(user_id)
            yield transaction

    @asynccontextmanager
    async def begin_background(self, user_id: UUID, *, wait: bool = False) -> AsyncIterator[Transaction]:
        """Like ``begin``, for work that can be done later: it hardly waits for what others hold, and without ``wait``
        not at all for the user's own row.

        Raises LockNotAvailableError also where the user is busy. One round trip more.
        """
        async with self.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            await transaction.lock(user_id, wait=wait)
            yield transaction

    @asynccontextmanager
    async def begin_with_nobody(self) -> AsyncIterator[Transaction]:
        """A transaction whose users are taken in as it goes on, for what concerns many of them."""
        commits: Sequence[Committed] = ()
        others: Sequence[Event] = ()
        async with self._acquire() as connection, connection.transaction():
            transaction = Transaction(connection, self._streams, self._services, self._rules, self._clock)
            yield transaction
            if not transaction.discarded:
                commits, others = await transaction.close(self._events_topic)
        for commit in commits:
            self._committed(commit)
        if others:
            self._forwarded(others)
