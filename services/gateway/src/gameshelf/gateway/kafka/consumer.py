"""Takes what other services say from Kafka, and applies each event once.

Offsets are committed after the database has: a crash in between means that records come again, and the inbox knows
them. A record that can never be applied becomes a dead letter; while PostgreSQL is away nothing moves and nothing is
lost.
"""

import asyncio
import base64
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.encoding import decode, encode
from gameshelf.gateway.failures import is_passing
from gameshelf.gateway.kafka.applied import ACCOUNT_DELETED, PRODUCT_EVENTS, TOPICS, USER_EVENTS, product_fact, user_of
from gameshelf.gateway.kafka.inbox import keep_dead_letter, take_new
from gameshelf.gateway.kafka.incoming import (
    AccountDeleted,
    Incoming,
    Malformed,
    ProductChange,
    parse_data,
    parse_envelope,
)
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.traces import Tracing
from gameshelf.gateway.outbox.store import Outgoing, add_records
from gameshelf.gateway.streams import UserErased, UserStreams
from gameshelf.gateway.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError
from gameshelf.library import CatalogProjection
from opentelemetry.trace import SpanKind
from pydantic import BaseModel

_log = logging.getLogger(__name__)

_POLL_MILLISECONDS = 200
_BATCH = 500
_SIDE_BY_SIDE = 8
_LONGEST_PAUSE = 5.0
_STOP_SECONDS = 3.0
_MAX_EMBEDDED = 512 * 1024


@dataclass(frozen=True, slots=True)
class _Event:
    """A record whose envelope and data are good."""

    record: ConsumerRecord
    envelope: Incoming
    data: BaseModel


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
        dead_letter_topic: str,
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
        self._dead_letter_topic = dead_letter_topic
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until ``stopping`` is set; then finishes the batch in hand and commits its offsets."""
        pause = 0.2
        while not stopping.is_set():
            consumer = AIOKafkaConsumer(
                *TOPICS,
                **self._options,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                metadata_max_age_ms=10_000,
                session_timeout_ms=self._session_timeout,
                heartbeat_interval_ms=self._session_timeout // 3,
            )
            try:
                await consumer.start()
                pause = 0.2
                await self._consume(consumer, stopping)
            except (KafkaError, OSError) as error:
                self._metrics.dependency_errors.labels("kafka").inc()
                _log.warning("Kafka is away: %s", type(error).__name__)
                await _pause(pause, stopping)
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                with suppress(TimeoutError):  # while a group is being joined it can't be left
                    await asyncio.wait_for(consumer.stop(), _STOP_SECONDS)

    async def _consume(self, consumer: AIOKafkaConsumer, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_BATCH)
            if not batches:
                continue
            if not await self._apply_surely(batches, stopping):
                return
            offsets = {partition: records[-1].offset + 1 for partition, records in batches.items()}
            try:
                await consumer.commit(offsets)
            except CommitFailedError:
                _log.info("the partitions went to another instance; what was applied here is known to the inbox")
            for partition, offset in offsets.items():
                lag = max((consumer.highwater(partition) or offset) - offset, 0)
                self._metrics.kafka_consumer_lag.labels(partition.topic, str(partition.partition)).set(lag)

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
        users: dict[UUID, list[_Event]] = defaultdict(list)
        products: list[_Event] = []
        for record in records:
            try:
                event = _parse(record)
            except Malformed as error:
                await self._bury(record, error.reason, str(error))
                continue
            if event is None:
                self._metrics.kafka_records.labels(record.topic, "ignored").inc()
            elif isinstance(event.data, ProductChange):
                products.append(event)
            else:
                users[user_of(event.data)].append(event)
        async with asyncio.TaskGroup() as tasks:
            if products:
                tasks.create_task(self._apply_products(products))
            for user_id, events in users.items():
                tasks.create_task(self._apply_user(user_id, events))

    async def _apply_user(self, user_id: UUID, events: Sequence[_Event]) -> None:
        """One user's events in one transaction; where one of them fails, each in its own."""
        async with self._slots:
            try:
                await self._apply_together(user_id, events)
            except UserErased:
                self._count(events, "dropped")
                return
            except Exception as error:
                if is_passing(error):
                    raise
                if len(events) == 1:
                    await self._bury_failed(events[0], error)
                    return
            else:
                return
        for event in events:
            await self._apply_user(user_id, [event])

    async def _apply_together(self, user_id: UUID, events: Sequence[_Event]) -> None:
        first = events[0].envelope
        with self._tracing.request(f"consume {first.type}", first.traceparent, SpanKind.CONSUMER):
            if any(event.envelope.type == ACCOUNT_DELETED for event in events):
                async with self._acquire() as connection, connection.transaction():
                    await self._streams.mark_erased(connection, user_id)
                self._count(events, "applied")
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
                        apply = USER_EVENTS[event.envelope.type].apply
                        await apply(transaction, event.data, event.envelope.time or now)
        self._count(events, "applied")

    async def _apply_products(self, events: Sequence[_Event]) -> None:
        now = self._clock()
        async with self._slots, self._acquire() as connection, connection.transaction():
            fresh = await take_new(
                connection,
                [(event.data.product_id, event.envelope.source, event.envelope.id) for event in events],  # type: ignore[attr-defined]
            )
            facts = [
                product_fact(event.envelope, event.data, now)
                for event in events
                if isinstance(event.data, ProductChange) and (event.envelope.source, event.envelope.id) in fresh
            ]
            await CatalogProjection(connection, self._clock).apply(facts)
        self._count(events, "applied")

    def _count(self, events: Sequence[_Event], result: str) -> None:
        for event in events:
            self._metrics.kafka_records.labels(event.record.topic, result).inc()

    async def _bury_failed(self, event: _Event, error: Exception) -> None:
        if isinstance(error, DomainError):
            await self._bury(event.record, error.code, error.default_message())
            return
        _log.error("an event can't be applied", exc_info=error)
        await self._bury(event.record, "NOT_APPLICABLE", type(error).__name__)

    async def _bury(self, record: ConsumerRecord, reason: str, detail: str) -> None:
        """Keeps a record as a dead letter and sends it on, once."""
        user_id = _guess_user(record.value)
        identity = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}"
        letter = {
            "reason": reason,
            "detail": detail,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "failedAt": self._clock(),
            "key": _readable(record.key),
            "original": _readable(record.value),
        }
        async with self._acquire() as connection, connection.transaction():
            new = await keep_dead_letter(
                connection,
                identity=identity,
                user_id=user_id,
                topic=record.topic,
                reason=reason,
                detail=detail,
                key=record.key,
                value=record.value,
            )
            if new:
                key = str(user_id) if user_id else None
                await add_records(connection, [Outgoing(user_id, self._dead_letter_topic, key, encode(letter))])
        self._metrics.kafka_records.labels(record.topic, "dead_letter").inc()
        self._metrics.dead_letters.labels(record.topic, reason).inc()
        _log.warning("a record of %s became a dead letter: %s", record.topic, reason)


def _parse(record: ConsumerRecord) -> _Event | None:
    """The event in a record; None for a type that means nothing here. Raises Malformed."""
    envelope = parse_envelope(record.value)
    if envelope.type in USER_EVENTS:
        return _Event(record, envelope, parse_data(USER_EVENTS[envelope.type].data, envelope.data))
    if envelope.type in PRODUCT_EVENTS:
        return _Event(record, envelope, parse_data(ProductChange, envelope.data))
    if envelope.type == ACCOUNT_DELETED:
        return _Event(record, envelope, parse_data(AccountDeleted, envelope.data))
    return None


def _guess_user(value: bytes | None) -> UUID | None:
    """Whom a record that can't be applied is about, so that it goes when that user is erased."""
    try:
        data = decode(value or b"")["data"]
        return UUID(data.get("userId") or data.get("user_id"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _readable(value: bytes | None) -> dict[str, Any] | None:
    """Bytes as JSON can hold them; the dead letter in the database has them whole."""
    if value is None:
        return None
    held = value[:_MAX_EMBEDDED]
    cut = {"truncated": True} if len(held) < len(value) else {}
    try:
        return {"text": held.decode(), **cut}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(held).decode(), **cut}


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
