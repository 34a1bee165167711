"""Sends the outbox records of one topic: each at least once, each user's in the order of their commits.

A lane has a producer, a connection to PostgreSQL and a back-off of its own, so that the failures of one topic affect no
other. Inside a topic a partition that fails or does not answer waits alone (``partitions.py``). One relay at a time
serves a shard of a topic, by an advisory lock of the transaction that deletes the sent records: if a relay dies, the
lock is released, and the next one sends again what was not deleted. Records of a partition that answers late are
deleted late: until then another relay may send them once more.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from asyncpg import Record
from gameshelf.gateway.runtime.database import Acquire, transaction_with
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.gateway.runtime.kafka.partitions import FIRST_PAUSE, LONGEST_PAUSE, HeldPartitions
from gameshelf.gateway.runtime.kafka.sending import SendOutcome, send_records
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox import relayed
from gameshelf.gateway.runtime.outbox.refused import set_aside
from gameshelf.gateway.runtime.outbox.store import RecordKey
from gameshelf.kernel.database import Connection

_log = logging.getLogger(__name__)

BATCH = 500
"""How many records of a shard are sent at a time."""
_SHARDS_AT_ONCE = 8
_GATHER_SECONDS = 0.1
"""How long to wait for more records under steady load: a round costs the same for one record and for hundreds."""
_PATIENCE_SECONDS = 0.5
"""How long a round waits for a partition before the others continue without it."""
_REST_SECONDS = 0.2
"""The pause between two rounds that found only records of held partitions."""
_FINISH_SECONDS = 3.0

MakeProducer = Callable[[], AIOKafkaProducer]


class Lane:
    """The records of one topic. ``states`` is shared by the lanes of a process."""

    def __init__(
        self, topic: str, make: MakeProducer, acquire: Acquire, metrics: Metrics, tracing: Tracing, states: StateLog
    ) -> None:
        self.topic = topic
        self._make = make
        self._acquire = acquire
        self._metrics = metrics
        self._tracing = tracing
        self._states = states
        self._producer: AIOKafkaProducer | None = None
        self._second: AIOKafkaProducer | None = None
        """Sends to held partitions alone: a broker answers a request only once all of its partitions are done."""
        self._starting = asyncio.Lock()
        self._partition_of = DefaultPartitioner()
        self._held = HeldPartitions()
        self._pause = FIRST_PAUSE
        self._retry_at = 0.0
        self._has_failed = False

    @property
    def is_due(self) -> bool:
        """Whether it may be served: it has not failed, or the pause after its failure is over."""
        return time.monotonic() >= self._retry_at

    @property
    def is_failing(self) -> bool:
        """Whether the topic as a whole failed the last time."""
        return self._has_failed

    @property
    def is_sending(self) -> bool:
        """Whether a partition has not answered yet."""
        return bool(self._held.sending)

    async def drain(self, stopping: asyncio.Event) -> None:
        """Sends until no records are left but those of other instances and of held partitions, or the service stops.
        A failure ends it too: it is logged once, and counted; the next attempt is made after a pause.
        """
        try:
            await self._drain(stopping)
        except KafkaError as error:
            self._fails(error, "")
            await self._back_off()
        except Exception as error:
            self._metrics.dependency_errors.labels("postgresql").inc()
            unknown = None if is_passing(error) else error
            self._states.begin(
                "postgresql", "PostgreSQL is away, the outbox waits: %s", type(error).__name__, error=unknown
            )
            await self._back_off()
        else:
            self._pause, self._has_failed = FIRST_PAUSE, False
            self._retry_at = time.monotonic() + _REST_SECONDS if self._held else 0.0
            self._states.end("postgresql", "PostgreSQL is back")
            if not self._held:
                self._states.end("kafka", "Kafka is back")
                self._states.end(self.topic, "records of topic %s are sent again", self.topic)

    async def close(self) -> None:
        """Closes the connections to Kafka; the next use opens others."""
        self._held.clear()
        producers, self._producer, self._second = (self._producer, self._second), None, None
        for producer in producers:
            if producer:
                await producer.stop()

    def _fails(self, error: Exception, partitions: str) -> None:
        self._metrics.dependency_errors.labels("kafka").inc()
        if isinstance(error, KafkaConnectionError):
            self._states.begin("kafka", "Kafka is away, the outbox waits: %s", type(error).__name__)
        else:
            unknown = None if isinstance(error, KafkaError) else error
            name = type(error).__name__
            self._states.begin(
                self.topic, "records of topic %s%s wait: %s", self.topic, partitions, name, error=unknown
            )

    async def _back_off(self) -> None:
        # An open producer would request the topic repeatedly.
        with suppress(KafkaError):
            await self.close()
        self._has_failed = True
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _drain(self, stopping: asyncio.Event) -> None:
        if self._producer is None:
            self._producer = self._make()
            await self._producer.start()
        while not stopping.is_set():
            # Outside of the transaction: this may take as long as the request's time-out if the topic does not exist.
            partitions = sorted(await self._producer.partitions_for(self.topic))
            count = await self._serve(self._producer, partitions)
            if not count:
                break
            if count < BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GATHER_SECONDS):
                        await stopping.wait()
        if stopping.is_set() and self._held.sending:
            await asyncio.wait(self._held.sending, timeout=_FINISH_SECONDS)
            async with self._acquire() as connection, transaction_with(connection, relayed.PLANNED_EACH_TIME):
                await self._remove(connection, self._held.answered())
        if not self._held and self._second:
            second, self._second = self._second, None
            await second.stop()

    async def _serve(self, producer: AIOKafkaProducer, partitions: Sequence[int]) -> int:
        """Sends a chunk of some shards; returns how many records were settled or held. Raises KafkaError."""
        late = self._held.answered()
        outcomes: dict[int, SendOutcome] = {}
        async with self._acquire() as connection, transaction_with(connection, relayed.PLANNED_EACH_TIME):
            count = await self._remove(connection, late)
            self._settle(late, {})
            shards = await relayed.take_shards(connection, self.topic, _SHARDS_AT_ONCE)
            if shards:
                waiting = self._held.start_round()
                # A separate statement, so that it sees the deletions of the previous owner of the shards.
                records = await relayed.pending(connection, self.topic, shards, BATCH, self._held.keys)
                started = time.time_ns()
                chunks = self._by_partition(partitions, records)
                for partition in waiting & chunks.keys():
                    count += self._held.learn(partition, _keys(chunks.pop(partition)))
                outcomes = await self._send(producer, chunks)
                self._trace(records, [one for outcome in outcomes.values() for one in outcome.sent], started)
                count += await self._remove(connection, outcomes)
                self._settle(outcomes, chunks)
        for outcome in (*late.values(), *outcomes.values()):
            for one in outcome.refused:
                self._metrics.outbox_refusals.labels(self.topic).inc()
                _log.error("Kafka refused a record of topic %s, which is set aside: %s", self.topic, one.reason)
        return count

    async def _remove(self, connection: Connection, outcomes: Mapping[int, SendOutcome]) -> int:
        """Deletes sent and refused records from the outbox; returns how many."""
        refused = [one for outcome in outcomes.values() for one in outcome.refused]
        if refused:
            await set_aside(connection, refused)
        done = [*(one for outcome in outcomes.values() for one in outcome.sent), *(one.key for one in refused)]
        if done:
            await relayed.remove_records(connection, done)
        return len(done)

    def _settle(self, outcomes: Mapping[int, SendOutcome], chunks: Mapping[int, Sequence[Record]]) -> None:
        """Holds partitions that failed. If the transaction fails, the records are sent again."""
        for partition, outcome in outcomes.items():
            self._held.settle(partition, outcome.failure, _keys(chunks.get(partition, ())))
            if outcome.failure is not None:
                self._fails(outcome.failure, f", partition {partition},")

    def _by_partition(self, partitions: Sequence[int], records: Sequence[Record]) -> dict[int, list[Record]]:
        chunks: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            key = (record["record_key"] or "").encode()
            chunks[self._partition_of(key, partitions, partitions)].append(record)
        return dict(chunks)

    async def _send(self, producer: AIOKafkaProducer, chunks: Mapping[int, Sequence[Record]]) -> dict[int, SendOutcome]:
        """Sends to all partitions at a time. Those that do not answer soon are held, and answer later."""
        tasks = {
            partition: asyncio.create_task(
                self._send_apart(partition, chunk)
                if partition in self._held
                else send_records(producer, self.topic, partition, chunk)
            )
            for partition, chunk in chunks.items()
        }
        awaited = [task for partition, task in tasks.items() if partition not in self._held]
        try:
            if awaited:
                await asyncio.wait(awaited, timeout=_PATIENCE_SECONDS)
        finally:
            for partition, task in tasks.items():
                if not task.done():
                    self._held.hold(partition, task, _keys(chunks[partition]))
        return {partition: task.result() for partition, task in tasks.items() if task.done()}

    async def _send_apart(self, partition: int, records: Sequence[Record]) -> SendOutcome:
        """Sends to a held partition by the producer for held partitions."""
        try:
            async with self._starting:
                if self._second is None:
                    self._second = await _started(self._make())
                producer = self._second
        except Exception as error:
            return SendOutcome(failure=error)
        return await send_records(producer, self.topic, partition, records)

    def _trace(self, records: Sequence[Record], sent: Sequence[RecordKey], started: int) -> None:
        """Adds a span to the trace of the request that made each record, which is over."""
        if self._tracing.enabled:
            ids = {one.id for one in sent}
            for record in records:
                if record["id"] in ids and record["traceparent"]:
                    name = f"send {self.topic}"
                    self._tracing.late_send(name, record["traceparent"], started, **{"messaging.system": "kafka"})


async def _started(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    try:
        await producer.start()
    except BaseException:
        with suppress(Exception):
            await producer.stop()
        raise
    return producer


def _keys(records: Sequence[Record]) -> Iterator[str]:
    return (record["record_key"] or "" for record in records)
