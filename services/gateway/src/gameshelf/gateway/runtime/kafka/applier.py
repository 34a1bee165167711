"""Applies events: those of a user in that user's transaction, those about products many in one transaction.

An event that fails because of its own data becomes a dead letter. One whose rows another transaction holds is deferred.
Any other failure is not caused by the event: it is raised, and the records wait.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire, limit_lock_wait
from gameshelf.gateway.runtime.failures import concerns_one, is_own_fault, is_passing
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvents, EventSubject
from gameshelf.gateway.runtime.kafka.dead_letters import DeadLetters
from gameshelf.gateway.runtime.kafka.groups import EventsOfUsers
from gameshelf.gateway.runtime.kafka.handling import ApplyAll, Received
from gameshelf.gateway.runtime.kafka.inbox import EventIdentity, take_new
from gameshelf.gateway.runtime.kafka.incoming import MALFORMED_DATA, Malformed
from gameshelf.gateway.runtime.kafka.named_user import named_user
from gameshelf.gateway.runtime.kafka.received import KafkaRecord, ReceivedEvent, parts_of, read_event
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.gateway.runtime.transaction import MemberWork, Transaction, Transactions
from gameshelf.gateway.runtime.unit_of_work.lockstep import MembersFailed
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from opentelemetry.trace import SpanKind

_log = logging.getLogger(__name__)

_FEWEST = 2
"""How many users make a group."""
_SIDE_BY_SIDE = 8
_OF_ONE_TOPIC = 6
"""How many transactions one topic may have: a slow topic leaves room for the others."""
_READ_AT_ONCE = 64 * 1024
"""Larger records, in bytes, are read in a thread, one at a time: it takes a second to describe thousands of invalid
elements, and a hundred megabytes to hold what one record may have.
"""


class Progress(Protocol):
    """Stores the outcome for records: differently for records from Kafka and for deferred ones."""

    lock_wait_milliseconds: int
    """How long to wait for a lock that another transaction holds."""

    async def applied(self, connection: Connection, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        """Must be called when the records are applied, in the transaction of this connection."""

    async def finished(self, subject_id: UUID | None, records: Sequence[KafkaRecord]) -> None:
        """Must be called for records without further work: dead letters, ignored ones, and those of erased users."""

    async def defer(self, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        """Defers records whose rows another transaction holds: they are tried again later. Raises NoRoom."""


class Applier:
    """Applies each event once, by the handlers in ``consumed``. Records of one user or product must come in order, in
    one call at a time.
    """

    def __init__(
        self,
        consumed: ConsumedEvents,
        acquire: Acquire,
        transactions: Transactions,
        streams: UserStreams,
        dead_letters: DeadLetters,
        metrics: Metrics,
        tracing: Tracing,
        clock: Clock = utc_now,
    ) -> None:
        self._consumed = consumed
        self._acquire = acquire
        self._transactions = transactions
        self._streams = streams
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._large = asyncio.Lock()
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._topic_slots = {topic: asyncio.Semaphore(_OF_ONE_TOPIC) for topic in consumed.topics}

    async def read_event(self, record: KafkaRecord, progress: Progress) -> ReceivedEvent | None:
        """Reads the event in a record; returns None if no further work is needed: the type is not consumed, the record
        has become a dead letter, or it was deferred.
        """
        try:
            if len(record.value or b"") <= _READ_AT_ONCE:
                event = read_event(record, self._consumed)
            else:
                async with self._large:
                    event = await asyncio.to_thread(read_event, record, self._consumed)
        except Malformed as error:
            await self._dead_letter(record, error.reason, str(error), progress)
        except Exception as error:
            # Reading depends on the record only: it would fail in the same way again, and block the partition.
            await self._dead_letter_failed(record, error, progress)
        else:
            if event is not None:
                return event.without_rest() if await self._keep_elements(event, progress) else None
            self._metrics.kafka_records.labels(record.topic, "ignored").inc()
            await progress.finished(None, [record])
        return None

    async def _keep_elements(self, event: ReceivedEvent, progress: Progress) -> bool:
        """Stores invalid elements of the event's lists as dead letters; returns False if the record was deferred."""
        record = event.record
        try:
            if event.bad_elements:
                lock_wait = progress.lock_wait_milliseconds
                await self._dead_letters.keep_parts(record, MALFORMED_DATA, parts_of(event), lock_wait)
        except Exception as error:
            if event.is_of_product or not concerns_one(error):
                raise
            await progress.defer(event.subject_id, [record])
            return False
        return True

    async def settle(self, events: Sequence[ReceivedEvent], progress: Progress) -> set[UUID]:
        """Applies events of one user, or about products, in one transaction; if that fails, each one in its own.
        Returns the users and products whose events were deferred.

        Raises failures that concern every record, and NoRoom.
        """
        try:
            result = await self._apply(events, progress)
        except Exception as error:
            subjects = {event.subject_id for event in events}
            if concerns_one(error) and len(subjects) == 1:
                await progress.defer(events[0].subject_id, [event.record for event in events])
                return subjects
            if not concerns_one(error) and not is_own_fault(error):
                raise
            if len(events) > 1:
                return await self._settle_each(events, progress)
            await self._dead_letter_failed(events[0].record, error, progress)
            return set()
        for event in events:
            self._metrics.kafka_records.labels(event.record.topic, result).inc()
        return set()

    async def settle_group(self, users: EventsOfUsers, progress: Progress) -> EventsOfUsers:
        """Applies the events of several users in one transaction. Returns those that are left to ``settle``: they fail,
        or another transaction holds their user's row.

        If something fails that may be the fault of one user, the others are tried again without that user, or, if it is
        not known whose fault it is, in halves. Raises failures that concern every record.
        """
        if len(users) < _FEWEST:
            return users
        try:
            done = await self._apply_group(users, progress)
        except MembersFailed as failed:
            others = {user_id: own for user_id, own in users.items() if user_id not in failed.errors}
            return {**await self.settle_group(others, progress), **{one: users[one] for one in failed.errors}}
        except Exception as error:
            if is_passing(error) and not concerns_one(error):
                raise
            if not is_own_fault(error):
                _log.warning("users can't be served together, so each is served alone: %s", type(error).__name__)
                return users
            ids = list(users)
            halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
            left = [await self.settle_group({one: users[one] for one in half}, progress) for half in halves]
            return {**left[0], **left[1]}
        for user_id in done:
            for event in users[user_id]:
                self._metrics.kafka_records.labels(event.record.topic, "applied").inc()
        return {user_id: own for user_id, own in users.items() if user_id not in done}

    async def _apply_group(self, users: EventsOfUsers, progress: Progress) -> Set[UUID]:
        """Returns the users whose events are applied; those of the others are not touched."""
        topic = next(iter(users.values()))[0].record.topic
        async with self._topic_slots[topic], self._slots:
            async with self._transactions.begin_group(users, progress.lock_wait_milliseconds) as group:
                events = [event for user_id in group.user_ids for event in users[user_id]]
                if not events:
                    return frozenset()
                fresh = await take_new(group.connection, [event.identity for event in events])
                new = {user_id: list(_each_once(users[user_id], fresh)) for user_id in group.user_ids}
                for user_id in group.user_ids:
                    await progress.applied(group.connection, user_id, [event.record for event in users[user_id]])
                works = {user_id: self._work_of(own) for user_id, own in new.items() if own}
                await group.run(works, lambda user_id: self._span(new[user_id][0]))
            return group.user_ids

    def _work_of(self, events: Sequence[ReceivedEvent]) -> MemberWork:
        async def work(transaction: Transaction) -> None:
            await self._handle_events(transaction, events)

        return work

    def _span(self, event: ReceivedEvent) -> AbstractContextManager[Any]:
        envelope = event.envelope
        return self._tracing.request(f"consume {envelope.type}", envelope.traceparent, SpanKind.CONSUMER)

    async def _settle_each(self, events: Sequence[ReceivedEvent], progress: Progress) -> set[UUID]:
        """Applies each event in its own transaction; the events of a subject behind a deferred one are deferred too."""
        of_subject: dict[UUID, list[ReceivedEvent]] = defaultdict(list)
        for event in events:
            of_subject[event.subject_id].append(event)
        deferred: set[UUID] = set()
        for subject_id, own in of_subject.items():
            if len(of_subject) > 1:
                deferred |= await self.settle(own, progress)
                continue
            for number, event in enumerate(own):
                if await self.settle([event], progress):
                    deferred.add(subject_id)
                    if own[number + 1 :]:
                        await progress.defer(subject_id, [later.record for later in own[number + 1 :]])
                    break
        return deferred

    async def _dead_letter(self, record: KafkaRecord, reason: str, detail: str, progress: Progress) -> None:
        try:
            await self._dead_letters.keep_record(record, reason, detail, progress.lock_wait_milliseconds)
        except Exception as error:
            user_id = named_user(record, self._consumed.product_topics)
            if user_id is None or not concerns_one(error):
                raise
            await progress.defer(user_id, [record])
        else:
            await progress.finished(None, [record])

    async def _dead_letter_failed(self, record: KafkaRecord, error: Exception, progress: Progress) -> None:
        reason, detail = self._dead_letters.reason_of(error)
        await self._dead_letter(record, reason, detail, progress)

    async def _apply(self, events: Sequence[ReceivedEvent], progress: Progress) -> str:
        """Applies events; returns the result for the metric: ``applied``, or ``dropped`` if the user is erased."""
        first = events[0]
        async with self._topic_slots[first.record.topic], self._slots:
            with self._span(first):
                if first.is_of_product:
                    await self._apply_products(events, progress)
                    return "applied"
                try:
                    await self._apply_user(first.subject_id, events, progress)
                except UserErased:
                    # This is expected, so the trace does not show it as a failure.
                    await progress.finished(first.subject_id, [event.record for event in events])
                    return "dropped"
        return "applied"

    async def _apply_user(self, user_id: UUID, events: Sequence[ReceivedEvent], progress: Progress) -> None:
        records = [event.record for event in events]
        if any(event.subject is EventSubject.ACCOUNT_END for event in events):
            async with self._acquire() as connection, connection.transaction():
                await limit_lock_wait(connection, progress.lock_wait_milliseconds)
                await self._streams.mark_erased(connection, user_id)
                await progress.applied(connection, user_id, records)
            return
        async with self._transactions.begin(user_id, progress.lock_wait_milliseconds) as transaction:
            fresh = await take_new(transaction.connection, [event.identity for event in events])
            if not fresh:
                transaction.discard()
            await self._handle_events(transaction, _each_once(events, fresh))
            await progress.applied(transaction.connection, user_id, records)

    async def _handle_events(self, transaction: Transaction, events: Iterable[ReceivedEvent]) -> None:
        for event in events:
            event_id = event.envelope.partof or event.envelope.id
            received = Received(event.time or self._clock(), event.envelope.source, event_id)
            for reading in event.readings:
                assert reading.consumed.handle is not None
                await reading.consumed.handle(transaction, reading.data, received)

    async def _apply_products(self, events: Sequence[ReceivedEvent], progress: Progress) -> None:
        now = self._clock()
        async with self._acquire() as connection, connection.transaction():
            await limit_lock_wait(connection, progress.lock_wait_milliseconds)
            fresh = await take_new(connection, [event.identity for event in events])
            new = [event for event in events if event.identity in fresh]
            batches: dict[ApplyAll, list[tuple[Any, datetime]]] = {one: [] for one in self._consumed.product_appliers}
            for event in new:
                for reading in event.readings:
                    assert reading.consumed.apply_all is not None
                    batches[reading.consumed.apply_all].append((reading.data, event.time or now))
            for apply_all, batch in batches.items():
                if batch:
                    await apply_all(connection, batch, self._clock)
            of_subject: dict[UUID, list[KafkaRecord]] = defaultdict(list)
            for event in events:
                of_subject[event.subject_id].append(event.record)
            for subject_id, records in of_subject.items():
                await progress.applied(connection, subject_id, records)


def _each_once(events: Sequence[ReceivedEvent], fresh: Set[EventIdentity]) -> Iterator[ReceivedEvent]:
    """Yields the events that were not applied before, each one once."""
    seen: set[EventIdentity] = set()
    for event in events:
        if event.identity in fresh and event.identity not in seen:
            seen.add(event.identity)
            yield event
