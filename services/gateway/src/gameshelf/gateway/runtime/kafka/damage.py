"""Partitions with a batch that cannot be decoded: its checksum is wrong, on the disk of the broker or in transit.

The client names neither the partition nor the record, and skips what it had decoded before. So while there is damage,
partitions are fetched one by one, and a damaged one record by record: the offset at which that fails is the damage. It
is fetched again for a while, since another replica may be intact. Then the partition continues behind it, offset by
offset, since the end of a batch that cannot be decoded is unknown.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, IllegalStateError
from gameshelf.gateway.runtime.observability.metrics import Metrics

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""How long a batch is fetched again before the partition continues without it."""
_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Damage:
    since: float
    due_at: float
    offset: int | None = None
    """None while it is searched for, record by record."""
    skipped: int = 0


class DamagedPartitions:
    """The damaged partitions of one connection to Kafka."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._damages: dict[TopicPartition, _Damage] = {}

    def __bool__(self) -> bool:
        return bool(self._damages)

    async def fetch(
        self, consumer: AIOKafkaConsumer, idle: Collection[TopicPartition], max_records: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Returns the records that have arrived from these partitions, each of which is fetched by itself."""
        fetched: dict[TopicPartition, list[ConsumerRecord]] = {}
        for partition in idle:
            damage = self._damages.get(partition)
            if damage and damage.due_at > self._clock():
                continue
            try:
                found = await consumer.getmany(partition, timeout_ms=0, max_records=1 if damage else max_records)
                fetched |= found
                if damage and found:
                    self._read(partition, damage, found[partition][0].offset)
            except CorruptRecordException:
                try:
                    position = await consumer.position(partition)
                    consumer.seek(partition, self._failed(partition, position))
                except IllegalStateError:  # the partition is no longer assigned to this instance
                    self._damages.pop(partition, None)
        return fetched

    def _failed(self, partition: TopicPartition, position: int) -> int:
        """Returns the offset to continue at after a failure that left the partition at ``position``."""
        now = self._clock()
        damage = self._damages.get(partition)
        if damage is None:
            # Any of the fetched records may be the damaged one.
            self._damages[partition] = _Damage(now, now)
            _log.error("partition %d of %s has a batch that can't be decoded", partition.partition, partition.topic)
            return position
        damage.offset = position
        if now - damage.since < PATIENCE_SECONDS:
            damage.due_at = now + _AGAIN_SECONDS
            return position
        damage.skipped += 1
        self._metrics.kafka_records.labels(partition.topic, "lost").inc()
        return position + 1

    def _read(self, partition: TopicPartition, damage: _Damage, offset: int) -> None:
        """Must be called when a record of the partition was read."""
        if damage.offset is None or offset < damage.offset:
            if self._clock() - damage.since > PATIENCE_SECONDS:
                del self._damages[partition]  # it is intact by now
            return
        del self._damages[partition]
        where = (partition.partition, partition.topic, offset)
        if damage.skipped:
            _log.error(
                "partition %d of %s continues at offset %d, %d records before it are lost", *where, damage.skipped
            )
        else:
            _log.warning("partition %d of %s can be decoded again from offset %d on", *where)
