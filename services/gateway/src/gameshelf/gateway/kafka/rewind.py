"""After a restore each partition begins once more, an hour before the moment that the backup is of.

What the restored database has applied already is in its inbox; what it has lost is applied again.
"""

import logging
from collections.abc import Collection
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from gameshelf.gateway.restores import REWIND, newest_restore, rewound, to_rewind
from gameshelf.kernel.database import Connection

_log = logging.getLogger(__name__)


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


async def rewind(consumer: AIOKafkaConsumer, connection: Connection, partitions: Collection[TopicPartition]) -> None:
    """Takes partitions back that have not been since the newest restore; only ever back. Raises KafkaError.

    Where several restores were marked since, the earliest of their moments counts.

    The broker knows where they go on before it is written down that they do: a crash in between repeats it, which
    harms nothing.
    """
    restore = await newest_restore(connection)
    if restore is None:
        return
    named = {(partition.topic, partition.partition): partition for partition in partitions}
    points = await to_rewind(connection, named)
    if not points:
        return
    waiting = {named[name]: _begins_at(point) for name, point in points.items()}
    found = await consumer.offsets_for_times(waiting)
    back: dict[TopicPartition, int] = {}
    for partition in waiting:
        committed, begins = await consumer.committed(partition), found.get(partition)
        # Without an answer, or with a time that is none, there is no record of that time or later; without a commit it
        # begins at the beginning anyway.
        if committed is not None and begins and begins.timestamp >= 0 and begins.offset < committed:
            back[partition] = begins.offset
    if back:
        await consumer.commit(back)
    # After that: what comes to this instance anew from here on begins where was committed, what came before goes there.
    for partition, offset in back.items():
        consumer.seek(partition, offset)
    if back:
        _log.warning("the database was restored: %d partitions begin an hour before its moment", len(back))
    await rewound(connection, restore, [(partition.topic, partition.partition) for partition in waiting])


def _begins_at(point: datetime) -> int:
    """From which time of records, in milliseconds, a partition begins again. Kafka has no times before 1970, and gives
    negative ones a meaning of their own.
    """
    return max(int((point.timestamp() - REWIND.total_seconds()) * 1000), 0)
