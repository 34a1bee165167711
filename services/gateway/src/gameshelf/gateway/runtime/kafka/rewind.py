"""After a restore each partition begins once more, an hour before the moment that the backup is of.

What the restored database has applied already is in its inbox; what it has lost is applied again.
"""

from collections.abc import Collection
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.restores import REWIND, StoredRestore, newest_restore, rewound, to_rewind
from gameshelf.kernel.database import Connection


class Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions have come to this instance. What is to be done about them is done between two batches."""

    def __init__(self) -> None:
        self.new: set[TopicPartition] = set()
        self.epoch = 0
        """Grows whenever the partitions are shared out anew."""
        self.committed: dict[TopicPartition, int] = {}
        """Through where this instance knows its partitions to be dealt with: the next offset of each."""

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Who has them next looks for itself."""
        self.new -= set(revoked)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Each may have to begin again."""
        self.epoch += 1
        self.committed = {}
        self.new |= set(assigned)


async def find_waiting(
    connection: Connection, partitions: Collection[TopicPartition]
) -> tuple[StoredRestore | None, dict[TopicPartition, datetime]]:
    """The newest restore, which of the partitions have not been taken back since, and to which restored moment each of
    them has to go: where several restores were marked since, the earliest counts. Two round trips at most.
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
    """Takes a partition back to an hour before ``point``; only ever back. Whether it had to. Raises KafkaError, and
    what PostgreSQL says.

    The broker knows where it goes on before it is written down that it does: a crash in between repeats it, which
    harms nothing. Each partition is asked for by itself: an answer about several fails with any one of them.
    """
    begins = (await consumer.offsets_for_times({partition: _begins_at(point)})).get(partition)
    committed = await consumer.committed(partition)
    # Without an answer, or with a time that is none, there is no record of that time or later; without a commit it
    # begins at the beginning anyway.
    is_ahead = committed is not None and begins and begins.timestamp >= 0 and begins.offset < committed
    if is_ahead:
        await consumer.commit({partition: begins.offset})
        # After that: should it come to this instance anew from here on, it begins where was committed.
        consumer.seek(partition, begins.offset)
        assigned.committed[partition] = begins.offset
    async with acquire() as connection:
        await rewound(connection, restore, [(partition.topic, partition.partition)])
    return bool(is_ahead)


def _begins_at(point: datetime) -> int:
    """From which time of records, in milliseconds, a partition begins again. Kafka has no times before 1970, and gives
    negative ones a meaning of their own.
    """
    return max(int((point.timestamp() - REWIND.total_seconds()) * 1000), 0)
