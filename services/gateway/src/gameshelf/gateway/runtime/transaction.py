"""Transactions of users: one commit contains a change, its reactions, and the messages that are published about it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.gateway.runtime.client_ids import current_client_id
from gameshelf.gateway.runtime.database import Acquire, hardly_wait, limit_lock_wait, transaction_with
from gameshelf.gateway.runtime.distributed import is_distributed
from gameshelf.gateway.runtime.failures import safe_to_repeat
from gameshelf.gateway.runtime.observability.traces import current_traceparent
from gameshelf.gateway.runtime.outbox.erased_names import take_name_out
from gameshelf.gateway.runtime.outbox.forwarded import ForwardedEvents
from gameshelf.gateway.runtime.outbox.messages import EventForms
from gameshelf.gateway.runtime.outbox.publishing import Publishing, UserEvents
from gameshelf.gateway.runtime.outbox.store import FeedMessage, Outgoing, closing, closing_group
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.unit_of_work.head import SeenUser, see
from gameshelf.gateway.runtime.unit_of_work.lockstep import Lockstep, MemberUnit, close_together
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.gateway.runtime.unit_of_work.units import LockedUnit, NeedsLock, OptimisticUnit, UnitOfWork
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError
from gameshelf.kernel.events import Event, RecordEvent
from gameshelf.kernel.serialise import Serialise

S = TypeVar("S")
R = TypeVar("R")

_ATTEMPTS = 3
"""Maximum number of attempts at work that loses a race each time."""
_BETWEEN_TURNS = 50
"""How many events are published before other requests of the process have their turn: about a millisecond."""
_ALL = 10_000
"""A limit above any number of events that wait for a user."""


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The parts of one transaction that a domain's service is made from."""

    connection: Connection
    record: RecordEvent
    clock: Clock
    serialise: Serialise
    """Implements the port by locking the user's row."""


MakeService = Callable[[ServiceContext], Any]
"""Makes a domain's service for one transaction."""

Services = Mapping[type[Any], MakeService]
"""Class of a domain's service → its factory."""

Reaction = Callable[["Transaction", UUID, Sequence[Any]], Awaitable[None]]
"""Handles all events of one type about one user, in the transaction that recorded them."""

Reactions = Mapping[type[Event], Sequence[Reaction]]

MemberWork = Callable[["Transaction"], Awaitable[None]]
"""What is done for a user of a group."""


@dataclass(frozen=True, slots=True)
class EventRules:
    """How the events of a transaction are published, forwarded and handled."""

    forms: EventForms
    reactions: Reactions
    forwarded: ForwardedEvents
    bulk_topics: Set[str] = frozenset()
    """Topics that receive many records at once."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The messages of a commit for a user's devices; it advanced the user's stream from one number to another."""

    user_id: UUID
    previous_sequence: int
    last_sequence: int
    messages: Sequence[FeedMessage]
    events: Sequence[Event]
    to_kafka: bool


class Transaction:
    """A change of the data of one or several users.

    Their rows are locked, so no other transaction writes meanwhile; or it is an optimistic change of one user, which
    fails at the end if another one has written meanwhile.
    """

    def __init__(
        self,
        connection: Any,
        streams: UserStreams,
        services: Services,
        rules: EventRules,
        clock: Clock,
        seen: SeenUser | None = None,
    ) -> None:
        self.connection = connection
        """An asyncpg connection inside a transaction, or a ``UnitOfWork`` of one user."""
        self.clock = clock
        self._streams = streams
        self._seen = seen
        self._sequences: dict[UUID, int] = {seen.user_id: seen.last_sequence} if seen else {}
        self._events: deque[Event] = deque()
        self._make = services
        self._rules = rules
        self._services: dict[Any, Any] = {}
        # Not even where none was seen at first: one may have come before the rows of this change were locked.
        self._has_taken_forwarded = False
        self.discarded = False
        self._origin = current_client_id()

    async def lock(self, user_id: UUID, *, wait: bool = True) -> None:
        """Locks the user's row for this transaction. Raises UserErased; without ``wait`` LockNotAvailableError."""
        self._require_lock()
        self._sequences[user_id] = await self._streams.lock(self.connection, user_id, wait=wait)

    async def serialise(self, user_id: UUID) -> None:
        """Implements the domains' port: the lock on the user's row orders their writes. Raises UserErased.

        No round trip if this transaction has locked the row already, as one that was begun for the user has.
        """
        if user_id not in self._sequences:
            await self.lock(user_id)

    async def lock_free(self, user_ids: Collection[UUID]) -> Set[UUID]:
        """Locks the rows that no other transaction holds, without those of erased users; returns which. Never waits."""
        self._require_lock()
        locked = await self._streams.lock_free(self.connection, user_ids)
        self._sequences |= locked
        return locked.keys()

    def _require_lock(self) -> None:
        if isinstance(self.connection, OptimisticUnit | MemberUnit):
            raise NeedsLock("an optimistic change locks no rows, and a group none of other users")

    @property
    def user_id(self) -> UUID:
        """The user of a transaction that is about exactly one user."""
        [user_id] = self._sequences
        return user_id

    def of(self, service: type[S]) -> S:
        """Returns a domain's service over this transaction, for example ``transaction.of(LibraryService)``."""
        made = self._services.get(service)
        if made is None:
            make = self._make[service]
            context = ServiceContext(self.connection, self.record, self.clock, self.serialise)
            made = self._services[service] = make(context)
        typed: S = made
        return typed

    def record(self, event: Event) -> None:
        """Records an event: it is published with the commit, or forwarded if it concerns another user."""
        self._events.append(event)

    async def take_forwarded(self, limit: int) -> int:
        """Takes at most ``limit`` forwarded events of each user, which are published before all others.

        Returns their number.
        """
        self._require_lock()
        self._has_taken_forwarded = True
        take = self._rules.forwarded.take_events
        taken = [event for user_id in self._sequences for event in await take(self.connection, user_id, limit)]
        self._events.extendleft(reversed(taken))
        return len(taken)

    async def take_name_out(self, erased_id: UUID, user_ids: Collection[UUID]) -> None:
        """Replaces an erased account's id in data that is kept for these users, whose rows this transaction locks."""
        await take_name_out(self.connection, erased_id, user_ids, self._rules.forwarded.keeping_names)

    def _may_be_overtaken(self, event: Event) -> bool:
        """Returns whether an older forwarded event may exist that would be published after this one, as if newer."""
        return event in self._rules.forwarded and event.user_id in self._sequences

    def elsewhere(self) -> AbstractContextManager[None]:
        """Wraps writes of rows of another user than the one whom the change is about: they may be on another shard."""
        return self.connection.elsewhere() if isinstance(self.connection, UnitOfWork) else nullcontext()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Wraps a part that may fail alone: its writes, recorded events and locks are undone if it raises."""
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
        """Must be called if no data changed: the commit then publishes nothing. The version of the user's row rises all
        the same if a write waits for the end of ``run``, such as an answer that a key keeps.
        """
        self._events.clear()
        self.discarded = True

    def release_services(self) -> None:
        """Drops the services, which hold this transaction in turn: it is freed at once, without the garbage
        collector.
        """
        self._services.clear()

    async def close(self, events_topic: str) -> tuple[list[Committed], list[Event]]:
        """Runs the reactions and writes version, numbers, feed and outbox; only the commit remains.

        Returns the messages for the users' devices, and the events that were forwarded to other users.
        """
        others: list[Event] = []
        if not self._has_taken_forwarded and any(map(self._may_be_overtaken, self._events)):
            await self.take_forwarded(_ALL)
        users = {user_id: UserEvents(sequence) for user_id, sequence in self._sequences.items()}
        publishing = Publishing(
            self._rules.forms, self._rules.bulk_topics, events_topic, current_traceparent(), self._origin
        )
        events = [event async for event in self._with_reactions()]
        await publishing.load(self.connection, [event for event in events if event.user_id in users])
        for number, event in enumerate(events, 1):
            if event.user_id in users:
                users[event.user_id].add(event, publishing)
            else:
                others.append(event)
            if number % _BETWEEN_TURNS == 0:
                await asyncio.sleep(0)
        if others:
            with self.elsewhere():
                await self._rules.forwarded.add_events(self.connection, others)
        if not users:
            return [], others
        last = {user_id: one.last_sequence for user_id, one in users.items()}
        messages = [message for one in users.values() for message in one.messages]
        records = [record for one in users.values() for record in one.records]
        await self._write_last(last, messages, records)
        commits = [
            Committed(user_id, self._sequences[user_id], one.last_sequence, one.messages, one.events, bool(one.records))
            for user_id, one in users.items()
        ]
        return commits, others

    async def _write_last(
        self, last: Mapping[UUID, int], messages: Sequence[FeedMessage], records: Sequence[Outgoing]
    ) -> None:
        if isinstance(self.connection, OptimisticUnit):
            assert self._seen
            await self.connection.close(self._seen.closing(last[self._seen.user_id], messages, records))
            return
        if len(last) == 1 and not isinstance(self.connection, MemberUnit):
            [(user_id, newest)] = last.items()
            ending = closing(user_id, newest, messages, records)
        else:  # also the only user of a member's unit: the endings of all members become one statement
            ending = closing_group(last, messages, records)
        if isinstance(self.connection, UnitOfWork):
            await self.connection.close(ending)
        else:
            await self.connection.execute(ending.statement.sql, *ending.values)

    async def _with_reactions(self) -> AsyncIterator[Event]:
        """Yields the recorded events in their order, then those that reactions recorded, until none is left."""
        while self._events:
            events = list(self._events)
            self._events.clear()
            groups: dict[tuple[type[Event], UUID], list[Event]] = defaultdict(list)
            for event in events:
                if event.user_id in self._sequences:  # forwarded events are handled in their user's transaction
                    groups[type(event), event.user_id].append(event)
            for (kind, user_id), alike in groups.items():
                for react in self._rules.reactions.get(kind, ()):
                    await react(self, user_id, alike)
            for event in events:
                yield event


class Transactions:
    """Opens transactions. ``committed`` is called after each commit, and ``forwarded`` with the events that a commit
    stored for other users. Neither may wait or fail.
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

    async def run(self, user_id: UUID, work: Callable[[Transaction], Awaitable[R]], opening: Opening = LOCKED) -> R:
        """Runs work in a transaction of one user, and returns its result after the commit.

        Work that loses a race (a deadlock, a serialization failure) is rolled back and repeated, up to three attempts
        in total. So it must have no effects outside of its transaction. Raises UserErased and the errors of the work.

        ``opening`` names what the work reads first. Round trips besides those of other reads: four, or two for an
        optimistic change that no other one overtakes; two more to make the row of a new user.
        """
        if not opening.needs_lock:
            try:
                return await self._run_optimistically(user_id, work, opening)
            except Exception as error:
                if not isinstance(error, NeedsLock) and not safe_to_repeat(error):
                    raise
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._run_locked(user_id, work, opening)
            except Exception as error:
                if attempt == _ATTEMPTS or not safe_to_repeat(error):
                    raise
        raise AssertionError("unreachable")

    async def _run_optimistically(
        self, user_id: UUID, work: Callable[[Transaction], Awaitable[R]], opening: Opening
    ) -> R:
        async with self._acquire() as connection:
            unit = OptimisticUnit(connection)
            seen = await see(unit, user_id, opening.lookups)
            if seen is None or seen.has_forwarded:
                raise NeedsLock("the user's row has to be made, or forwarded events come first")
            transaction = self._new_transaction(unit, seen)
            try:
                try:
                    result = await work(transaction)
                except DomainError:
                    await seen.confirm(unit)  # a refusal must not come from a mixture of two states
                    raise
                if transaction.discarded:
                    await seen.close_unchanged(unit)
                    return result
                commits, others = await transaction.close(self._events_topic)
            finally:
                transaction.release_services()
        self._notify(commits, others)
        return result

    async def _run_locked(self, user_id: UUID, work: Callable[[Transaction], Awaitable[R]], opening: Opening) -> R:
        async with self._acquire() as connection, transaction_with(connection, opening.lock_query(user_id)):
            unit = LockedUnit(connection, opening.locks)
            seen = await see(unit, user_id, opening.lookups)
            if seen is None:
                if not await self._streams.create(connection, user_id):
                    await self._streams.lock(connection, user_id)
                seen = await see(unit, user_id, opening.lookups)
                assert seen, "the row was locked"
            transaction = self._new_transaction(unit, seen)
            try:
                result = await work(transaction)
                if transaction.discarded:
                    await seen.close_unchanged(unit)
                    return result
                commits, others = await transaction.close(self._events_topic)
            finally:
                transaction.release_services()
        self._notify(commits, others)
        return result

    def _new_transaction(self, connection: Any, seen: SeenUser | None = None) -> Transaction:
        return Transaction(connection, self._streams, self._services, self._rules, self._clock, seen)

    @asynccontextmanager
    async def begin(self, user_id: UUID, lock_wait_milliseconds: int | None = None) -> AsyncIterator[Transaction]:
        """Opens a transaction of one user, which is committed when the block ends and rolled back when it raises. It
        waits for each lock at most ``lock_wait_milliseconds``, or the default time. Only for callers that repeat failed
        work themselves; others use ``run``.

        Raises UserErased. Round trips besides those of the block: begin, lock, close, commit.
        """
        async with self.begin_with_nobody() as transaction:
            if lock_wait_milliseconds is not None:
                await limit_lock_wait(transaction.connection, lock_wait_milliseconds)
            await transaction.lock(user_id)
            yield transaction

    @asynccontextmanager
    async def begin_background(self, user_id: UUID, *, wait: bool = False) -> AsyncIterator[Transaction]:
        """Like ``begin``, for work that can be done later: it waits for locks only briefly, and without ``wait`` not at
        all for the user's row.

        Raises LockNotAvailableError also if the user's row is locked. One more round trip.
        """
        async with self.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            await transaction.lock(user_id, wait=wait)
            yield transaction

    @asynccontextmanager
    async def begin_with_nobody(self) -> AsyncIterator[Transaction]:
        """Opens a transaction that concerns many users, which are locked one after another during the block."""
        commits: Sequence[Committed] = ()
        others: Sequence[Event] = ()
        async with self._acquire() as connection, connection.transaction():
            transaction = self._new_transaction(connection)
            try:
                yield transaction
                if not transaction.discarded:
                    commits, others = await transaction.close(self._events_topic)
            finally:
                transaction.release_services()
        self._notify(commits, others)

    @asynccontextmanager
    async def begin_group(self, user_ids: Collection[UUID], lock_wait_milliseconds: int) -> AsyncIterator["UserGroup"]:
        """Opens a transaction of several users, whose changes are committed when the block ends. It never waits for
        their rows: users whose rows are held are not in it, nor those who are erased or for whom forwarded events wait.

        Work may fail because of another user, so the caller repeats what fails in a smaller group, or with ``begin``.
        Round trips besides those of the block: begin, the rows, what is written with the end, commit.
        """
        limit = f"SET LOCAL lock_timeout = {int(lock_wait_milliseconds)}"
        async with self._acquire() as connection, transaction_with(connection, limit):
            # Citus refuses statements of several users, who are on several shards: there each is served alone.
            is_possible = not is_distributed(connection)
            seen = await self._streams.open_group(connection, user_ids) if is_possible else []
            free = {one.user_id: one for one in seen if not one.has_forwarded}
            group = UserGroup(connection, free, self._new_transaction, self._events_topic)
            yield group
            await close_together(connection, group.units)
        self._notify(group.commits, group.others)

    def _notify(self, commits: Sequence[Committed], others: Sequence[Event]) -> None:
        for commit in commits:
            self._committed(commit)
        if others:
            self._forwarded(others)


class UserGroup:
    """Several users in one transaction, whose rows it has locked. See ``Transactions.begin_group``."""

    def __init__(
        self,
        connection: Connection,
        seen: Mapping[UUID, SeenUser],
        make: Callable[[Any, SeenUser], Transaction],
        events_topic: str,
    ) -> None:
        self.connection = connection
        self._seen = seen
        self._make = make
        self._events_topic = events_topic
        self.units: list[MemberUnit] = []
        self.commits: list[Committed] = []
        self.others: list[Event] = []

    @property
    def user_ids(self) -> Set[UUID]:
        """The users who are in it."""
        return self._seen.keys()

    async def run(
        self,
        works: Mapping[UUID, MemberWork],
        span: Callable[[UUID], AbstractContextManager[Any]],
    ) -> None:
        """Runs the work of each user, all of them side by side, that of each one and its end in the ``span`` of the
        user. Raises MembersFailed, and PostgreSQL's errors.
        """
        lockstep = Lockstep(self.connection)
        await lockstep.run({user_id: self._run_one(lockstep, user_id, work, span) for user_id, work in works.items()})

    async def _run_one(
        self, lockstep: Lockstep, user_id: UUID, work: MemberWork, span: Callable[[UUID], AbstractContextManager[Any]]
    ) -> None:
        unit = MemberUnit(lockstep)
        with span(user_id):
            transaction = self._make(unit, self._seen[user_id])
            try:
                await work(transaction)
                if not transaction.discarded:
                    commits, others = await transaction.close(self._events_topic)
                    self.commits += commits
                    self.others += others
            finally:
                transaction.release_services()
        self.units.append(unit)
