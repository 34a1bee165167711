"""Sends the outbox records of one topic: each at least once, each user's in the order of their commits.

A lane has a producer, a connection to PostgreSQL and a back-off of its own, so that what one topic has wrong is felt by
no other. One relay at a time serves a shard of a topic, by an advisory lock of the very transaction that removes what
was sent: a relay that dies lets go of it, and whoever comes next sends again what was not removed.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,
)
from aiokafka.partitioner import DefaultPartitioner
from asyncpg import Record
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.failures import is_passing
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.states import StateLog
from gameshelf.gateway.observability.traces import Tracing
from gameshelf.gateway.outbox import relayed
from gameshelf.gateway.outbox.refused import Refusal, set_aside

_log = logging.getLogger(__name__)

BATCH = 500
"""How many records of a shard are sent at a time."""
_SHARDS_AT_ONCE = 8
_GATHER_SECONDS = 0.1
"""How long small batches are let grow under steady load: a round costs the same for one record and for hundreds."""
_SEND_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0

# These say for certain that it is the record, where one is sent alone.
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# These may be about a record, or about the broker. aiokafka has no name for code 87, by which a broker refuses a record
# (one without a key on a compacted topic): it is an unknown error, as a failure inside of the broker is.
_SUSPICIOUS = (CorruptRecordException, InvalidTimestampError, PolicyViolationError, UnknownError)

MakeProducer = Callable[[], AIOKafkaProducer]


@dataclass
class _Outcome:
    """What became of some records."""

    sent: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failure: KafkaError | None = None
    """Why the rest was not sent; it is sent again."""
    suspected: list[Refusal] = field(default_factory=list)
    """Those of the refused that may not be at fault themselves."""
    suspicion: KafkaError | None = None
    """What was said of the first one of them."""


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
        self._partition_of = DefaultPartitioner()
        self._pause = _FIRST_PAUSE
        self._retry_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it may be tried: it has not failed, or the pause after its failure is over."""
        return time.monotonic() >= self._retry_at

    @property
    def is_failing(self) -> bool:
        """Whether it failed the last time."""
        return self._retry_at > 0

    async def drain(self, stopping: asyncio.Event) -> None:
        """Sends until nothing is left that no other instance sends, or the service stops. Failures end it too: they
        are logged once, and counted; the next attempt is made after a pause.
        """
        try:
            await self._drain(stopping)
        except KafkaError as error:
            self._metrics.dependency_errors.labels("kafka").inc()
            if isinstance(error, KafkaConnectionError):
                self._states.begin("kafka", "Kafka is away, the outbox waits: %s", type(error).__name__)
            else:
                self._states.begin(self.topic, "records of topic %s wait: %s", self.topic, type(error).__name__)
            await self._back_off()
        except Exception as error:
            self._metrics.dependency_errors.labels("postgresql").inc()
            unknown = None if is_passing(error) else error
            self._states.begin(
                "postgresql", "PostgreSQL is away, the outbox waits: %s", type(error).__name__, error=unknown
            )
            await self._back_off()
        else:
            self._pause, self._retry_at = _FIRST_PAUSE, 0.0
            self._states.end("kafka", "Kafka is back")
            self._states.end("postgresql", "PostgreSQL is back")
            self._states.end(self.topic, "records of topic %s are sent again", self.topic)

    async def close(self) -> None:
        """Closes the connection to Kafka; the next use opens another one."""
        producer, self._producer = self._producer, None
        if producer:
            await producer.stop()

    async def _back_off(self) -> None:
        # A producer that is kept would ask for the topic again and again.
        with suppress(KafkaError):
            await self.close()
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _drain(self, stopping: asyncio.Event) -> None:
        if self._producer is None:
            self._producer = self._make()
            await self._producer.start()
        while not stopping.is_set():
            # Before a transaction is opened: a topic that is not there is waited for as long as a request may take.
            partitions = sorted(await self._producer.partitions_for(self.topic))
            count = await self._serve(self._producer, partitions)
            if not count:
                return
            if count < BATCH:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), _GATHER_SECONDS)

    async def _serve(self, producer: AIOKafkaProducer, partitions: Sequence[int]) -> int:
        """Sends a chunk of some shards; of how many records the fate is known. Raises KafkaError."""
        async with self._acquire() as connection, connection.transaction():
            shards = await relayed.take_shards(connection, self.topic, _SHARDS_AT_ONCE)
            if not shards:
                return 0
            # A statement of its own, which sees what the one who had the shards before has removed.
            records = await relayed.pending(connection, self.topic, shards, BATCH)
            started = time.time_ns()
            outcome = await self._send(producer, partitions, records)
            self._trace(records, outcome.sent, started)
            if outcome.refused:
                await set_aside(connection, outcome.refused)
            done = [*outcome.sent, *(one.id for one in outcome.refused)]
            if done:
                await relayed.remove(connection, done)
        for one in outcome.refused:
            self._metrics.outbox_refusals.labels(self.topic).inc()
            _log.error("Kafka refused a record of topic %s, which is set aside: %s", self.topic, one.reason)
        if outcome.failure is not None:
            raise outcome.failure
        return len(done)

    async def _send(self, producer: AIOKafkaProducer, partitions: Sequence[int], records: Sequence[Record]) -> _Outcome:
        """Sends records, one batch a partition: a batch is taken whole or not at all, so order can't break inside it.

        What does not fit into a batch waits for the next round.
        """
        chunks: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            key = record["record_key"]
            chunks[self._partition_of(key.encode() if key else b"", partitions, partitions)].append(record)
        whole = _Outcome()
        sending = (self._send_partition(producer, partition, chunk) for partition, chunk in chunks.items())
        for outcome in await asyncio.gather(*sending):
            whole.sent += outcome.sent
            whole.refused += outcome.refused
            whole.failure = whole.failure or outcome.failure
        return whole

    async def _send_partition(self, producer: AIOKafkaProducer, partition: int, records: Sequence[Record]) -> _Outcome:
        """Sends records of one partition. Those that only may be at fault themselves are so if it took any other."""
        outcome = await self._send_chunk(producer, partition, records)
        if outcome.sent or not outcome.suspicion:
            return outcome
        certain = [one for one in outcome.refused if one not in outcome.suspected]
        return _Outcome(refused=certain, failure=outcome.failure or outcome.suspicion)

    async def _send_chunk(self, producer: AIOKafkaProducer, partition: int, records: Sequence[Record]) -> _Outcome:
        """Sends records of one partition in their order. A batch that is refused for what is in it is sent in halves,
        down to the record that is refused: the one thing that is passed over.
        """
        try:
            return _Outcome(sent=await self._send_batch(producer, partition, records))
        except (*_TOO_LARGE, *_SUSPICIOUS) as error:
            if len(records) == 1:
                one = Refusal(records[0]["id"], f"{type(error).__name__}: {error}")
                if isinstance(error, _TOO_LARGE):
                    return _Outcome(refused=[one])
                return _Outcome(refused=[one], suspected=[one], suspicion=error)
        except KafkaError as error:
            return _Outcome(failure=error)
        half = len(records) // 2
        first = await self._send_chunk(producer, partition, records[:half])
        if first.failure or len(first.sent) + len(first.refused) < half:  # what was not sent comes before what follows
            return first
        second = await self._send_chunk(producer, partition, records[half:])
        return _Outcome(
            first.sent + second.sent,
            first.refused + second.refused,
            second.failure,
            first.suspected + second.suspected,
            first.suspicion or second.suspicion,
        )

    async def _send_batch(self, producer: AIOKafkaProducer, partition: int, records: Sequence[Record]) -> list[int]:
        batch = producer.create_batch()
        taken = []
        for record in records:
            key = record["record_key"]
            fits = batch.append(key=key.encode() if key else None, value=record["value"], timestamp=None)
            if fits is None:
                break
            taken.append(record["id"])
        batch.close()
        delivered = await producer.send_batch(batch, self.topic, partition=partition)
        try:
            await asyncio.wait_for(delivered, _SEND_SECONDS)
        except TimeoutError:
            raise KafkaTimeoutError from None  # told apart from PostgreSQL's
        return taken

    def _trace(self, records: Sequence[Record], sent: Sequence[int], started: int) -> None:
        """Each record is sent for the request that made it, which was another one and is over."""
        if self._tracing.enabled:
            ids = set(sent)
            for record in records:
                if record["id"] in ids and record["traceparent"]:
                    name = f"send {self.topic}"
                    self._tracing.late_send(name, record["traceparent"], started, **{"messaging.system": "kafka"})
