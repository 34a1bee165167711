"""Measures how many records wait to be applied, from the broker's offsets, so that it grows while nothing is read."""

import asyncio
from collections.abc import Container, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.kafka.deferred import count_deferred
from gameshelf.gateway.runtime.kafka.rewind import Assigned
from gameshelf.gateway.runtime.observability.metrics import Metrics

_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0


class Lag:
    """Measures the partitions of one consumer until it is cancelled. Records of those in ``busy`` are being applied."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assigned: Assigned,
        busy: Container[TopicPartition],
        acquire: Acquire,
        metrics: Metrics,
    ) -> None:
        self._consumer = consumer
        self._assigned = assigned
        self._busy = busy
        self._acquire = acquire
        self._metrics = metrics
        self._shown: set[TopicPartition] = set()
        self._deferred: Mapping[tuple[str, int], int] = {}

    async def run(self) -> None:
        """Updates the gauges every two seconds; while the broker or PostgreSQL is away they keep their values."""
        try:
            while True:
                with suppress(Exception):
                    async with self._acquire() as connection:
                        self._deferred = await count_deferred(connection)
                    self._metrics.kafka_records_deferred.set(sum(self._deferred.values()))
                with suppress(KafkaError, OSError, TimeoutError, IllegalStateError):
                    async with asyncio.timeout(_PATIENCE_SECONDS):
                        await self._measure()
                await asyncio.sleep(_SECONDS)
        finally:
            self._show({})

    async def _measure(self) -> None:
        held = self._consumer.assignment()
        ends = await self._consumer.end_offsets(held) if held else {}
        lags = {}
        for partition, end in ends.items():
            # A broker may report the beginning of its last batch only.
            newest = max(end, self._consumer.highwater(partition) or 0)
            begins = await self._begins(partition)
            if begins < newest and partition not in self._busy:
                begins = max(begins, await self._position(partition))
            lags[partition] = max(newest - begins, 0)
        self._show(lags)

    async def _begins(self, partition: TopicPartition) -> int:
        """Returns the offset of the first record that is neither applied nor deferred."""
        committed = self._assigned.committed
        if partition not in committed:
            offset = await self._consumer.committed(partition)
            if offset is None:
                offset = (await self._consumer.beginning_offsets([partition]))[partition]
            committed.setdefault(partition, offset)
        return committed[partition]

    async def _position(self, partition: TopicPartition) -> int:
        """Returns the offset behind what was read, 0 if there is none: it passes markers of transactions and aborted
        records, which the client does not return, so that no commit follows.
        """
        try:
            async with asyncio.timeout(0):  # it waits where the offset is still to be found out
                position: int = await self._consumer.position(partition)
        except TimeoutError:
            return 0
        return position

    def _show(self, lags: Mapping[TopicPartition, int]) -> None:
        gauge = self._metrics.kafka_consumer_lag
        for partition in self._shown - lags.keys():
            gauge.remove(partition.topic, str(partition.partition))
        for partition, lag in lags.items():
            deferred = self._deferred.get((partition.topic, partition.partition), 0)
            gauge.labels(partition.topic, str(partition.partition)).set(lag + deferred)
        self._shown = set(lags)
