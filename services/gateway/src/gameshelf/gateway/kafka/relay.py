"""Sends the outbox to Kafka: each record at least once, each user's in the order of their commits.

One relay at a time serves a shard, held by an advisory lock of the very transaction that removes what was sent: a relay
that dies lets go of it, and whoever comes next sends again what was not removed.
"""

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner
from asyncpg import Record
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.failures import is_passing
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.traces import Tracing
from gameshelf.gateway.outbox import store

_log = logging.getLogger(__name__)

_BATCH = 500
"""How many records of a shard are sent at a time."""
_SHARDS_AT_ONCE = 8
_IDLE_SECONDS = 0.1
_GATHER_SECONDS = 0.1
"""How long small batches are let grow under steady load: a round costs the same for one record and for hundreds."""
_SEND_SECONDS = 20.0
_LONGEST_PAUSE = 5.0
_MAX_BYTES = 1024 * 1024


class Relay:
    """Empties the outbox. Any number of instances work side by side."""

    def __init__(
        self, options: dict[str, Any], idempotent: bool, acquire: Acquire, metrics: Metrics, tracing: Tracing
    ) -> None:
        self._options = options
        self._idempotent = idempotent
        self._acquire = acquire
        self._metrics = metrics
        self._tracing = tracing
        self._woken = asyncio.Event()
        self._partition_of = DefaultPartitioner()

    def wake(self) -> None:
        """Something was just put into the outbox."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relays until ``stopping`` is set; then what is being sent is finished."""
        pause = 0.2
        while not stopping.is_set():
            producer = AIOKafkaProducer(
                **self._options,
                acks="all",
                enable_idempotence=self._idempotent,
                max_batch_size=_MAX_BYTES,
                max_request_size=2 * _MAX_BYTES,
                metadata_max_age_ms=10_000,
            )
            try:
                await producer.start()
                while not stopping.is_set():
                    await self._round(producer, stopping)
                    pause = 0.2
                    await self._idle()
            except KafkaError as error:
                await self._wait_out("kafka", error, pause, stopping)
            except Exception as error:
                if not is_passing(error):
                    _log.exception("the relay failed")
                await self._wait_out("postgresql", error, pause, stopping)
            finally:
                await producer.stop()
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _wait_out(self, dependency: str, error: Exception, pause: float, stopping: asyncio.Event) -> None:
        self._metrics.dependency_errors.labels(dependency).inc()
        _log.warning("%s is away, the outbox waits: %s", dependency, type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)

    async def _idle(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _IDLE_SECONDS)
        self._woken.clear()

    async def _round(self, producer: AIOKafkaProducer, stopping: asyncio.Event) -> None:
        """Serves shards until none has anything that other instances don't serve, or the service stops."""
        while not stopping.is_set():
            sent = await self._serve(producer)
            if not sent:
                return
            if sent < _BATCH:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), _GATHER_SECONDS)

    async def _serve(self, producer: AIOKafkaProducer) -> int:
        """Sends a chunk of some shards; how many records."""
        async with self._acquire() as connection, connection.transaction():
            shards = await store.take_shards(connection, _SHARDS_AT_ONCE)
            if not shards:
                return 0
            # A statement of its own, which sees what the one who had the shards before has removed.
            records = await store.pending(connection, shards, _BATCH)
            started = time.time_ns()
            sent, failure = await self._send(producer, records)
            self._trace(records, sent, started)
            if sent:
                await store.mark_sent(connection, sent)
        if failure is not None:
            raise failure
        return len(sent)

    async def _send(self, producer: AIOKafkaProducer, records: list[Record]) -> tuple[list[int], BaseException | None]:
        """Sends records, one batch a partition: a batch is taken whole or not at all, so order can't break inside it.

        What does not fit into a batch waits for the next round. The ids that the broker has, and what failed.
        """
        partitions: dict[tuple[str, int], list[Record]] = defaultdict(list)
        absent: dict[str, BaseException] = {}
        for record in records:
            topic = record["topic"]
            if topic not in absent:
                try:
                    partitions[topic, await self._choose(producer, record)].append(record)
                except KafkaError as error:
                    absent[topic] = error  # a topic that is not there holds up nothing that goes elsewhere
        outcomes = await asyncio.gather(
            *(_send_batch(producer, topic, partition, chunk) for (topic, partition), chunk in partitions.items()),
            return_exceptions=True,
        )
        sent = [record_id for outcome in outcomes if isinstance(outcome, list) for record_id in outcome]
        failures = [*absent.values(), *(outcome for outcome in outcomes if isinstance(outcome, BaseException))]
        return sent, failures[0] if failures else None

    def _trace(self, records: list[Record], sent: list[int], started: int) -> None:
        """Each record is sent for the request that made it, which was another one and is over."""
        if self._tracing.enabled:
            ids = set(sent)
            for record in records:
                if record["id"] in ids and record["traceparent"]:
                    name = f"send {record['topic']}"
                    self._tracing.late_send(name, record["traceparent"], started, **{"messaging.system": "kafka"})

    async def _choose(self, producer: AIOKafkaProducer, record: Record) -> int:
        partitions = sorted(await producer.partitions_for(record["topic"]))
        key = record["record_key"]
        chosen: int = self._partition_of(key.encode() if key else b"", partitions, partitions)
        return chosen


async def _send_batch(producer: AIOKafkaProducer, topic: str, partition: int, records: list[Record]) -> list[int]:
    batch = producer.create_batch()
    taken = []
    for record in records:
        key = record["record_key"]
        fits = batch.append(key=key.encode() if key else None, value=record["value"], timestamp=None)
        if fits is None:
            break
        taken.append(record["id"])
    batch.close()
    delivered = await producer.send_batch(batch, topic, partition=partition)
    try:
        await asyncio.wait_for(delivered, _SEND_SECONDS)
    except TimeoutError:
        raise KafkaTimeoutError from None  # told apart from PostgreSQL's
    return taken
