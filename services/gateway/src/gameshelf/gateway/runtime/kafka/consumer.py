"""Consumes records of other services from Kafka, and makes sure that each one is applied once.

Partitions are independent: one whose records wait does not delay the others. Offsets are committed after the database
has committed: after a crash in between, records are delivered again, and the inbox identifies them.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, CorruptRecordException, IllegalStateError, KafkaError
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.gateway.runtime.kafka.batches import use_own_batches
from gameshelf.gateway.runtime.kafka.damage import DamagedPartitions
from gameshelf.gateway.runtime.kafka.deferred import NoRoom
from gameshelf.gateway.runtime.kafka.intake import Intake
from gameshelf.gateway.runtime.kafka.lag import Lag
from gameshelf.gateway.runtime.kafka.retry import Retry
from gameshelf.gateway.runtime.kafka.rewind import Assigned, find_waiting, rewind
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.restores import StoredRestore

_log = logging.getLogger(__name__)

_POLL_MILLISECONDS = 200
_POLL_WHILE_BUSY_MILLISECONDS = 20
_BATCH = 500
_LONGEST_PAUSE = 5.0
_LONGEST_REPEAT = 1.0
"""The longest pause before waiting records are tried again: they are applied within 2 s once PostgreSQL works."""
_STOP_SECONDS = 3.0
_LOOK_SECONDS = 5.0
"""How often an instance checks whether the database was restored while it runs."""
_REWINDS_AT_ONCE = 8
_REWIND_AGAIN_SECONDS = 1.0
_APART_SECONDS = 600.0
"""How long partitions are fetched one by one after one of them was damaged."""
_IDLE_MILLISECONDS = 3_600_000
"""How long the consumer may fetch nothing: as long as all partitions wait for PostgreSQL."""


@dataclass(slots=True)
class _Batch:
    """Records of a partition that are being applied."""

    task: "asyncio.Task[bool]"
    next_offset: int
    epoch: int


@dataclass(slots=True)
class _Connected:
    """The state of one connection to Kafka."""

    consumer: AIOKafkaConsumer
    damaged: DamagedPartitions
    assigned: Assigned = field(default_factory=Assigned)
    batches: dict[TopicPartition, _Batch] = field(default_factory=dict)
    unchecked: set[TopicPartition] = field(default_factory=set)
    """Partitions that may have to be rewound after a restore."""
    rewinding: dict[TopicPartition, "asyncio.Task[bool]"] = field(default_factory=dict)
    """The unchecked partitions that are being rewound."""
    rewinds: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_REWINDS_AT_ONCE))
    ending: asyncio.Event = field(default_factory=asyncio.Event)


class Consumer:
    """Applies the records of ``topics``. Any number of instances share the partitions."""

    def __init__(
        self,
        options: dict[str, Any],
        topics: Sequence[str],
        group: str,
        session_timeout_ms: int,
        acquire: Acquire,
        intake: Intake,
        retry: Retry,
        metrics: Metrics,
    ) -> None:
        use_own_batches()
        self._options = options
        self._topics = topics
        self._group = group
        self._session_timeout = session_timeout_ms
        self._acquire = acquire
        self._intake = intake
        self._retry = retry
        self._metrics = metrics
        self._states = StateLog(_log)
        self._waiting: dict[TopicPartition, str] = {}
        self._apart_until = 0.0
        """Until then partitions are fetched one by one, since one of them is damaged."""

    @property
    def refused(self) -> bool:
        """Whether records wait because PostgreSQL refuses or is away."""
        return bool(self._waiting)

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until ``stopping`` is set; then finishes the current batches and commits their offsets."""
        retrying = asyncio.create_task(self._retry.run(stopping))
        try:
            pause = 0.2
            while not stopping.is_set():
                connected = _Connected(self._new_consumer(), DamagedPartitions(self._metrics))
                connected.consumer.subscribe(self._topics, listener=connected.assigned)
                try:
                    await connected.consumer.start()
                    self._states.end("kafka", "Kafka is back")
                    pause = 0.2
                    await self._consume(connected, stopping)
                except CorruptRecordException:
                    # The client has skipped what it decoded before; a new connection reads it again.
                    self._apart_until = time.monotonic() + _APART_SECONDS
                except (KafkaError, OSError) as error:
                    self._metrics.dependency_errors.labels("kafka").inc()
                    self._states.begin("kafka", "Kafka is away: %s", type(error).__name__)
                    await _pause(pause, stopping)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                finally:
                    await self._disconnect(connected)
            await retrying
        finally:
            retrying.cancel()

    def _new_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._options,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # What a producer has aborted did not happen; a transaction is open for a minute at most, by default.
            isolation_level="read_committed",
            metadata_max_age_ms=10_000,
            max_poll_interval_ms=_IDLE_MILLISECONDS,
            session_timeout_ms=self._session_timeout,
            heartbeat_interval_ms=self._session_timeout // 3,
        )

    async def _disconnect(self, connected: _Connected) -> None:
        connected.ending.set()
        for rewinding in connected.rewinding.values():
            rewinding.cancel()
        tasks = [batch.task for batch in connected.batches.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
        with suppress(KafkaError, OSError):
            await self._commit(connected)
        self._waiting.clear()
        with suppress(TimeoutError):  # the consumer can't leave a group while it joins it
            async with asyncio.timeout(_STOP_SECONDS):
                await connected.consumer.stop()

    async def _consume(self, connected: _Connected, stopping: asyncio.Event) -> None:
        lag = Lag(connected.consumer, connected.assigned, connected.batches, self._acquire, self._metrics)
        measuring = asyncio.create_task(lag.run())
        look_at = 0.0
        try:
            while not stopping.is_set():
                await self._commit(connected)
                held = connected.consumer.assignment()
                if time.monotonic() >= look_at:
                    connected.unchecked |= held
                    look_at = time.monotonic() + _LOOK_SECONDS
                if not await self._check_for_restore(connected, held):
                    await _pause(1.0, stopping)
                    continue
                await self._fetch(connected, held - connected.batches.keys() - connected.unchecked, stopping)
        finally:
            measuring.cancel()

    async def _fetch(self, connected: _Connected, idle: Collection[TopicPartition], stopping: asyncio.Event) -> None:
        """Fetches the next records of idle partitions, and starts to apply them."""
        busy = [*(batch.task for batch in connected.batches.values()), *connected.rewinding.values()]
        if not idle and busy:
            await asyncio.wait(busy, timeout=_POLL_MILLISECONDS / 1000, return_when=asyncio.FIRST_COMPLETED)
            return
        timeout = _POLL_WHILE_BUSY_MILLISECONDS if busy else _POLL_MILLISECONDS
        if idle and time.monotonic() < self._apart_until:
            fetched = await connected.damaged.fetch(connected.consumer, idle, _BATCH)
            if connected.damaged:
                self._apart_until = time.monotonic() + _APART_SECONDS
            if not fetched:
                await _pause(_POLL_WHILE_BUSY_MILLISECONDS / 1000, stopping)
        else:
            # Without partitions this waits for an assignment, and raises errors of the group's coordinator.
            fetched = await connected.consumer.getmany(*idle, timeout_ms=timeout, max_records=_BATCH)
        for partition, records in fetched.items():
            epoch = connected.assigned.epoch
            task = asyncio.create_task(self._take(connected, partition, records, epoch, stopping))
            connected.batches[partition] = _Batch(task, records[-1].offset + 1, epoch)

    async def _take(
        self,
        connected: _Connected,
        partition: TopicPartition,
        records: Sequence[ConsumerRecord],
        epoch: int,
        stopping: asyncio.Event,
    ) -> bool:
        """Applies records, and repeats that while PostgreSQL is away or refuses. Returns False if it gives up: the
        service stops, or the partition may belong to another instance.
        """
        pause = 0.1
        while True:
            try:
                await self._intake.process_batch(records)
                self._end_waiting(partition)
                return True
            except Exception as failed:
                self._begin_waiting(partition, failed)
            if stopping.is_set() or connected.ending.is_set() or connected.assigned.epoch != epoch:
                self._end_waiting(partition)
                return False
            await _pause(pause, stopping)
            pause = min(pause * 2, _LONGEST_REPEAT)

    def _begin_waiting(self, partition: TopicPartition, failed: Exception) -> None:
        errors = _leaves(failed)
        names = ", ".join(sorted({type(error).__name__ for error in errors}))
        if all(isinstance(error, NoRoom) for error in errors):
            self._states.begin(names, "records of %s wait: too many are deferred already", partition.topic)
        else:
            self._metrics.dependency_errors.labels("postgresql").inc()
            self._waiting[partition] = names
            self._states.begin(names, "records of %s wait: %s", partition.topic, names, error=errors[0])

    def _end_waiting(self, partition: TopicPartition) -> None:
        names = self._waiting.pop(partition, None)
        if names is not None and names not in self._waiting.values():
            self._states.end(names, "records that waited are applied: %s is over", names)

    async def _commit(self, connected: _Connected) -> None:
        """Commits the offsets of finished batches whose partition is still assigned here. Raises KafkaError."""
        done = {partition: batch for partition, batch in connected.batches.items() if batch.task.done()}
        held = connected.consumer.assignment()
        offsets = {}
        for partition, batch in done.items():
            del connected.batches[partition]
            if batch.task.cancelled() or not batch.task.result():
                continue
            # Records that were fetched before a rebalance are fetched again; the inbox recognises them.
            if partition in held and batch.epoch == connected.assigned.epoch:
                offsets[partition] = batch.next_offset
        if offsets:
            with suppress(CommitFailedError, IllegalStateError):  # a partition is no longer assigned here
                await connected.consumer.commit(offsets)
                connected.assigned.committed |= offsets

    async def _check_for_restore(self, connected: _Connected, held: Collection[TopicPartition]) -> bool:
        """Rewinds this instance's partitions after a restore; False while PostgreSQL is away.

        This includes partitions that it had before, since the database may have been replaced meanwhile. A partition
        whose records are being applied is checked afterwards, since its offset is still to be committed. Each is
        rewound by itself, so that one for which the broker returns no offset does not delay the others.
        """
        assigned = connected.assigned
        connected.unchecked |= assigned.new
        assigned.new = set()
        for partition in [one for one, task in connected.rewinding.items() if task.done()]:
            if connected.rewinding.pop(partition).result():
                connected.unchecked.discard(partition)
        connected.unchecked &= set(held)
        ready = connected.unchecked - connected.batches.keys() - connected.rewinding.keys()
        if not ready:
            return True
        try:
            async with self._acquire() as connection:
                restore, waiting = await find_waiting(connection, ready)
        except Exception as error:
            self._metrics.dependency_errors.labels("postgresql").inc()
            self._states.begin("restores", "partitions wait: %s", type(error).__name__)
            return False
        self._states.end("restores", "partitions continue")
        connected.unchecked -= ready - waiting.keys()
        if restore:
            for partition, point in waiting.items():
                task = asyncio.create_task(self._rewind(connected, restore, partition, point))
                connected.rewinding[partition] = task
        return True

    async def _rewind(
        self, connected: _Connected, restore: StoredRestore, partition: TopicPartition, point: datetime
    ) -> bool:
        """Returns whether the partition was rewound or need not be; otherwise it is tried again."""
        state = f"rewind {partition.topic} {partition.partition}"
        try:
            async with connected.rewinds:
                moved = await rewind(connected.consumer, connected.assigned, self._acquire, restore, partition, point)
        except IllegalStateError:
            return False  # the partition is no longer assigned to this instance
        except Exception as error:
            self._metrics.dependency_errors.labels("kafka" if isinstance(error, KafkaError) else "postgresql").inc()
            self._states.begin(
                state,
                "partition %d of %s can't be rewound to before the restore, it waits: %s",
                partition.partition,
                partition.topic,
                type(error).__name__,
                error=None if isinstance(error, KafkaError) or is_passing(error) else error,
            )
            await asyncio.sleep(_REWIND_AGAIN_SECONDS)
            return False
        if moved:
            self._states.begin(
                f"restore {restore.id}", "the database was restored: partitions begin an hour before its moment"
            )
        self._states.end(state, "partition %d of %s continues", partition.partition, partition.topic)
        return True


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for one in error.exceptions for leaf in _leaves(one)]


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
