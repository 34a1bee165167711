"""Consequences of a restore: nothing is deleted until the object store has been compared, and consumers are rewound to
an hour before the backup's snapshot.

``gateway.mark_restored``, a function in the database, records a restore; every restore has to call it.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.replaced import ReplacedDatabase
from gameshelf.gateway.runtime.tables import RestoreRecord, Rewind
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from sqlalchemy import ARRAY, Integer, String, Uuid, bindparam, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_log = logging.getLogger(__name__)

REWIND = timedelta(hours=1)
"""How far before the restored point consumers are rewound: longer than the delay of any event (contract, section 8)."""

KafkaPartition = tuple[str, int]
"""Topic and number of a partition."""


@dataclass(frozen=True, slots=True)
class StoredRestore:
    """The database was restored at ``restored_at`` to what it was at ``restored_point``. Since then the store has been
    compared up to the key ``compared_through``.
    """

    id: UUID
    restored_at: datetime
    restored_point: datetime
    compared_through: str


_RESTORE = (
    col(RestoreRecord.id),
    col(RestoreRecord.restored_at),
    col(RestoreRecord.restored_point),
    col(RestoreRecord.compared_through),
)
_newest = select(*_RESTORE).order_by(col(RestoreRecord.restored_at).desc(), col(RestoreRecord.id)).limit(1)
_OPEN = Statement(_newest.where(col(RestoreRecord.reconciled_at).is_(None)))
_NEWEST = Statement(_newest)
_STORED = RowReader(StoredRestore, _OPEN, _NEWEST)
_RECONCILED = Statement(
    # Also ends older restores that were never reconciled: the comparison covers the current state.
    update(RestoreRecord)
    .values(reconciled_at=func.now())
    .where(
        col(RestoreRecord.reconciled_at).is_(None),
        col(RestoreRecord.restored_at)
        <= select(col(RestoreRecord.restored_at))
        .where(col(RestoreRecord.id) == bindparam("restore_id", type_=Uuid))
        .scalar_subquery(),
    )
)
_RECONCILED_AT = Statement(select(func.max(col(RestoreRecord.reconciled_at)).label("reconciled_at")))
_through = bindparam("through", type_=String)
_COMPARED = Statement(
    update(RestoreRecord)
    .values(compared_through=_through)
    .where(
        col(RestoreRecord.id) == bindparam("restore_id", type_=Uuid),
        col(RestoreRecord.compared_through) >= bindparam("after", type_=String),
        col(RestoreRecord.compared_through) < _through,
    )
)
_partitions = (
    func.unnest(bindparam("topics", type_=ARRAY(String)), bindparam("partitions", type_=ARRAY(Integer)))
    .table_valued(column("topic", String), column("partition", Integer), name="partitions")
    .render_derived()
)
_since = aliased(RestoreRecord)
_newest_rewound = (
    select(func.max(col(_since.restored_at)))
    .join(Rewind, col(Rewind.restore_id) == col(_since.id))
    .where(col(Rewind.topic) == _partitions.c.topic, col(Rewind.partition) == _partitions.c.partition)
    .correlate(_partitions)
    .scalar_subquery()
)
# Selects the earliest point of all restores since a partition was rewound, so that a second mark with another point, or
# a failover right after a restore, does not replace the first mark.
_TO_REWIND = Statement(
    select(_partitions.c.topic, _partitions.c.partition, func.min(col(RestoreRecord.restored_point)).label("point"))
    .select_from(_partitions)
    .join(RestoreRecord, or_(_newest_rewound.is_(None), col(RestoreRecord.restored_at) > _newest_rewound))
    .group_by(_partitions.c.topic, _partitions.c.partition)
)
_REMEMBER = Statement(
    insert(Rewind)
    .from_select(
        ["restore_id", "topic", "partition"],
        select(bindparam("restore_id", type_=Uuid), _partitions.c.topic, _partitions.c.partition),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)


async def open_restore(connection: Connection) -> StoredRestore | None:
    """Returns the restore after which the object store has not been compared yet."""
    return _STORED.read_optional(await _OPEN.first(connection))


async def mark_compared(connection: Connection, restore_id: UUID, after: str, through: str) -> None:
    """Records that the keys after one and up to another have been compared, if they follow without a gap."""
    await _COMPARED.run(connection, restore_id=restore_id, after=after, through=through)


async def mark_reconciled(connection: Connection, restore_id: UUID) -> None:
    """Records that the comparison after a restore is complete: jobs may delete again."""
    await _RECONCILED.run(connection, restore_id=restore_id)


async def last_reconciled(connection: Connection) -> datetime | None:
    """Returns when a comparison after a restore was last completed; None if none was."""
    row = await _RECONCILED_AT.first(connection)
    return row["reconciled_at"] if row else None


async def newest_restore(connection: Connection) -> StoredRestore | None:
    """Returns the last restore, reconciled or not."""
    return _STORED.read_optional(await _NEWEST.first(connection))


async def to_rewind(connection: Connection, among: Collection[KafkaPartition]) -> dict[KafkaPartition, datetime]:
    """Returns the partitions that have not been rewound since the newest restore, and for each the time since which
    events may be missing.
    """
    topics, numbers = [topic for topic, _ in among], [number for _, number in among]
    rows = await _TO_REWIND.all(connection, topics=topics, partitions=numbers)
    return {(row["topic"], row["partition"]): row["point"] for row in rows}


async def rewound(connection: Connection, restore: StoredRestore, partitions: Collection[KafkaPartition]) -> None:
    """Records that partitions have been rewound for this restore and earlier ones; the broker has the new offsets."""
    topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
    await _REMEMBER.run(connection, restore_id=restore.id, topics=topics, partitions=numbers)


class DeletionGate:
    """Prevents jobs from deleting what a restored database may still need: objects that only the store has, and the
    inbox entries of events that will be delivered again.
    """

    def __init__(self, acquire: Acquire, metrics: Metrics, replaced: ReplacedDatabase) -> None:
        self._acquire = acquire
        self._metrics = metrics
        self._replaced = replaced
        self._was_open = False

    def unless_open(self, run_once: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Wraps a job so that it does nothing while a restore is open, or after another database replaced this one.

        A run costs two more round trips, and two to Redis.
        """

        async def gated() -> None:
            await self._replaced.look()
            if self._replaced.reason is None and not await self._is_open():
                await run_once()

        return gated

    async def _is_open(self) -> bool:
        async with self._acquire() as connection:
            restore = await open_restore(connection)
        is_open = restore is not None
        self._metrics.restore_open.set(is_open)
        if is_open and not self._was_open:
            _log.warning("the database was restored: nothing is deleted until `libctl saves reconcile --apply`")
        if self._was_open and not is_open:
            _log.info("the store has been compared with the restored database: jobs delete again")
        self._was_open = is_open
        return is_open
