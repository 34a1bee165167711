"""Takes what other services say from Kafka, and applies each event once.

Offsets are committed after the database has: a crash in between means that records come again, and the inbox knows
them. A record that can never be applied becomes a dead letter; while PostgreSQL is away nothing moves and nothing is
lost.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from gameshelf.achievements import Definitions
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.failures import is_passing
from gameshelf.gateway.kafka.applied import (
    definition_facts,
    price_fact,
    product_fact,
)
from gameshelf.gateway.kafka.consumed import ACCOUNT_DELETED, TOPICS
from gameshelf.gateway.kafka.dead_letters import DeadLetters
from gameshelf.gateway.kafka.inbox import take_new
from gameshelf.gateway.kafka.incoming import (
    Malformed,
    PriceChange,
    ProductChange,
)
from gameshelf.gateway.kafka.received import Event, read
from gameshelf.gateway.kafka.rewind import Assigned, rewind
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.traces import Tracing
from gameshelf.gateway.streams import UserErased, UserStreams
from gameshelf.gateway.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import CatalogProjection
from gameshelf.wishlist import Prices
from opentelemetry.trace import SpanKind

_log = logging.getLogger(__name__)

_POLL_MILLISECONDS = 200
_BATCH = 500
_SIDE_BY_SIDE = 8
_LONGEST_PAUSE = 5.0
_STOP_SECONDS = 3.0
_LOOK_SECONDS = 5.0
"""How often an instance looks whether the database was restored under it."""


class Consumer:
    """Applies the records of the consumed topics. Any number of instances share the partitions."""

    def __init__(
        self,
        options: dict[str, Any],
        group: str,
        session_timeout_ms: int,
        acquire: Acquire,
        transactions: Transactions,
        streams: UserStreams,
        dead_letters: DeadLetters,
        metrics: Metrics,
        tracing: Tracing,
        clock: Clock = utc_now,
    ) -> None:
        self._options = options
        self._group = group
        self._session_timeout = session_timeout_ms
        self._acquire = acquire
        self._transactions = transactions
        self._streams = streams
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._lags: dict[TopicPartition, int] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until ``stopping`` is set; then finishes the batch in hand and commits its offsets."""
        pause = 0.2
        while not stopping.is_set():
            consumer = AIOKafkaConsumer(
                **self._options,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                metadata_max_age_ms=10_000,
                session_timeout_ms=self._session_timeout,
                heartbeat_interval_ms=self._session_timeout // 3,
            )
            assigned = Assigned()
            consumer.subscribe(TOPICS, listener=assigned)
            try:
                await consumer.start()
                pause = 0.2
                await self._consume(consumer, assigned, stopping)
            except (KafkaError, OSError) as error:
                self._metrics.dependency_errors.labels("kafka").inc()
                _log.warning("Kafka is away: %s", type(error).__name__)
                await _pause(pause, stopping)
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                with suppress(TimeoutError):  # while a group is being joined it can't be left
                    await asyncio.wait_for(consumer.stop(), _STOP_SECONDS)

    async def _consume(self, consumer: AIOKafkaConsumer, assigned: Assigned, stopping: asyncio.Event) -> None:
        look_at = 0.0
        while not stopping.is_set():
            if assigned.new or time.monotonic() >= look_at:
                if not await self._begins_again(consumer, assigned):
                    await _pause(1.0, stopping)
                    continue
                look_at = time.monotonic() + _LOOK_SECONDS
            batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_BATCH)
            if not batches:
                continue
            if not await self._apply_surely(batches, stopping):
                return
            await self._commit(consumer, {partition: records[-1].offset + 1 for partition, records in batches.items()})

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
        """Says how far this instance is, where a partition is still its own; the inbox knows what was applied."""
        held = consumer.assignment()
        offsets = {partition: offset for partition, offset in offsets.items() if partition in held}
        if offsets:
            with suppress(CommitFailedError, IllegalStateError):  # a partition went to another instance just now
                await consumer.commit(offsets)
        for partition, offset in offsets.items():
            self._lags[partition] = max((consumer.highwater(partition) or offset) - offset, 0)
        self._report_lags(held)

    def _report_lags(self, held: Collection[TopicPartition]) -> None:
        gauge = self._metrics.kafka_consumer_lag
        for partition in self._lags.keys() - held:
            del self._lags[partition]
            gauge.remove(partition.topic, str(partition.partition))
        for partition, lag in self._lags.items():
            gauge.labels(partition.topic, str(partition.partition)).set(lag)

    async def _begins_again(self, consumer: AIOKafkaConsumer, assigned: Assigned) -> bool:
        """Takes this instance's partitions back where a restore says so; False while PostgreSQL is away.

        Not only those that came to it just now: an instance that waits for its database finds another one in its place.
        """
        held = consumer.assignment()
        fresh = assigned.new & held
        try:
            async with self._acquire() as connection:
                await rewind(consumer, connection, held)
        except Exception as error:
            if isinstance(error, KafkaError) or not is_passing(error):
                raise
            self._metrics.dependency_errors.labels("postgresql").inc()
            _log.warning("partitions wait: %s", type(error).__name__)
            return False
        assigned.new -= fresh
        return True

    async def _apply_surely(self, batches: dict[TopicPartition, list[ConsumerRecord]], stopping: asyncio.Event) -> bool:
        """Applies a batch, however long PostgreSQL is away; False when the service stops first."""
        pause = 0.2
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    for records in batches.values():
                        tasks.create_task(self._apply_partition(records))
                return True
            except* Exception as failed:
                errors = _leaves(failed)
                names = sorted({type(error).__name__ for error in errors})
                self._metrics.dependency_errors.labels("postgresql").inc()
                unknown = next((error for error in errors if not is_passing(error)), None)
                _log.warning("a batch waits: %s", ", ".join(names), exc_info=unknown)
            if stopping.is_set():
                return False
            await _pause(pause, stopping)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _apply_partition(self, records: Sequence[ConsumerRecord]) -> None:
        """One partition's records: each user's in order, users side by side, the Catalog's all together."""
        users: dict[UUID, list[Event]] = defaultdict(list)
        products: list[Event] = []
        for record in records:
            try:
                event = read(record)
            except Malformed as error:
                await self._dead_letters.keep(record, error.reason, str(error))
            except Exception as error:
                # Reading waits for nothing, so it would fail in the same way again, and block the partition.
                await self._dead_letters.keep_failed(record, error)
            else:
                if event is None:
                    self._metrics.kafka_records.labels(record.topic, "ignored").inc()
                elif event.is_of_product:
                    products.append(event)
                else:
                    users[event.subject_id].append(event)
        async with asyncio.TaskGroup() as tasks:
            if products:
                tasks.create_task(self._apply(products, self._apply_products))
            for user_id, events in users.items():
                tasks.create_task(self._apply(events, partial(self._apply_user, user_id)))

    async def _apply(self, events: Sequence[Event], together: Callable[[Sequence[Event]], Awaitable[None]]) -> None:
        """Applies events in one transaction; where one of them fails, each in its own."""
        first, result = events[0].envelope, "applied"
        try:
            async with self._slots:
                with self._tracing.request(f"consume {first.type}", first.traceparent, SpanKind.CONSUMER):
                    try:
                        await together(events)
                    except UserErased:
                        result = "dropped"  # as it has to be, so it is no failure in the trace
        except Exception as error:
            if is_passing(error):
                raise
            if len(events) == 1:
                await self._dead_letters.keep_failed(events[0].record, error)
                return
            for event in events:
                await self._apply([event], together)
        else:
            self._count(events, result)

    async def _apply_user(self, user_id: UUID, events: Sequence[Event]) -> None:
        if any(event.envelope.type == ACCOUNT_DELETED for event in events):
            async with self._acquire() as connection, connection.transaction():
                await self._streams.mark_erased(connection, user_id)
            return
        async with self._transactions.begin(user_id) as transaction:
            fresh = await take_new(
                transaction.connection, [(user_id, event.envelope.source, event.envelope.id) for event in events]
            )
            if not fresh:
                transaction.discard()
            now = self._clock()
            for event in events:
                identity = (event.envelope.source, event.envelope.id)
                if identity in fresh:
                    fresh.remove(identity)
                    assert event.consumed.handle is not None
                    await event.consumed.handle(transaction, event.data, event.envelope.time or now)

    async def _apply_products(self, events: Sequence[Event]) -> None:
        now = self._clock()
        async with self._acquire() as connection, connection.transaction():
            fresh = await take_new(
                connection,
                [(event.subject_id, event.envelope.source, event.envelope.id) for event in events],
            )
            new = [event for event in events if (event.envelope.source, event.envelope.id) in fresh]
            changes = [(event.envelope, event.data) for event in new if isinstance(event.data, ProductChange)]
            prices = [(event.envelope, event.data) for event in new if isinstance(event.data, PriceChange)]
            await CatalogProjection(connection, self._clock).apply(
                [product_fact(envelope, data, now) for envelope, data in changes]
            )
            await Definitions(connection, self._clock).apply(
                [fact for envelope, data in changes for fact in definition_facts(envelope, data, now)]
            )
            await Prices(connection, self._clock).apply([price_fact(envelope, data, now) for envelope, data in prices])

    def _count(self, events: Sequence[Event], result: str) -> None:
        for event in events:
            self._metrics.kafka_records.labels(event.record.topic, result).inc()


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
