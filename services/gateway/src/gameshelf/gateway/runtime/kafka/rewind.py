"""After a restore each partition is consumed again from an hour before the backup's snapshot.

The inbox of the restored database has the events that are applied; the lost ones are applied again.
"""

from collections.abc import Collection
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.restores import REWIND, StoredRestore, newest_restore, rewound, to_rewind
from gameshelf.kernel.database import Connection


class Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions were assigned to this instance. The consumer handles them between two batches."""

    def __init__(self) -> None:
        self.new: set[TopicPartition] = set()
        self.epoch = 0
        """Grows with each rebalance."""
        self.committed: dict[TopicPartition, int] = {}
        """The offset that is committed for each partition, as far as this instance knows it."""

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Does nothing: the next instance checks the partitions itself."""
        self.new -= set(revoked)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Notes the partitions, each of which may have to be rewound."""
        self.epoch += 1
        self.committed = {}
        self.new |= set(assigned)


async def find_waiting(
    connection: Connection, partitions: Collection[TopicPartition]
) -> tuple[StoredRestore | None, dict[TopicPartition, datetime]]:
    """Returns the newest restore, and for each partition that was not rewound since then the time to rewind it to: the
    earliest point of all restores since. Two round trips at most.
    """
    restore = await newest_restore(connection)
    if restore is None:
        return None, {}
    named = {(partition.topic, partition.partition): partition for partition in partitions}
    points = await to_rewind(connection, named)
    return restore, {named[name]: point for name, point in points.items()}


async def rewind(
    consumer: AIOKafkaConsumer,
    assigned: Assigned,
    acquire: Acquire,
    restore: StoredRestore,
    partition: TopicPartition,
    point: datetime,
) -> bool:
    """Rewinds a partition to an hour before ``point``, never forward; returns whether that was needed. Raises
    KafkaError, and errors of PostgreSQL.

    The offset is committed before the rewind is stored: after a crash in between it is repeated, which is harmless.
    The broker is asked for one partition at a time, since a request for several fails with any one of them.
    """
    begins = (await consumer.offsets_for_times({partition: _begins_at(point)})).get(partition)
    committed = await consumer.committed(partition)
    # Without an answer, or with an invalid time, there is no record of that time or later; without a committed offset
    # the partition begins at its beginning anyway.
    is_ahead = committed is not None and begins and begins.timestamp >= 0 and begins.offset < committed
    if is_ahead:
        await consumer.commit({partition: begins.offset})
        # After the commit: if the partition is assigned to this instance again, it begins at the committed offset.
        consumer.seek(partition, begins.offset)
        assigned.committed[partition] = begins.offset
    async with acquire() as connection:
        await rewound(connection, restore, [(partition.topic, partition.partition)])
    return bool(is_ahead)


def _begins_at(point: datetime) -> int:
    """Returns the time of records, in milliseconds since 1970, to which a partition is rewound. It is not negative,
    since negative times have special meanings in Kafka.
    """
    return max(int((point.timestamp() - REWIND.total_seconds()) * 1000), 0)
