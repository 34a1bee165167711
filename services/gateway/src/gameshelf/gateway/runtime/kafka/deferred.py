"""Deferred records: another transaction holds the rows that they change, and all other records continue meanwhile.

They are stored in PostgreSQL, so the offsets of Kafka move past them. A record is tried again with growing pauses;
later records of the same user or product wait behind it, so that their order is kept. Their number is bounded: beyond
it the partition waits.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.kafka.received import KafkaRecord, StoredRecord
from gameshelf.gateway.runtime.tables import DeferredRecord
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MOST = 10_000
"""How many records may be deferred, of all instances together."""
_LONGEST_SECONDS = 5.0
"""The longest pause between two attempts. The first one is a quarter of a second, each next one twice as long."""
_FIRST_SECONDS = 0.25

D = DeferredRecord
_KEY = (col(D.subject_id), col(D.topic), col(D.partition), col(D.record_offset), col(D.record_timestamp))
_SUBJECT = bindparam("subject_id", type_=Uuid)

_new = (
    func.unnest(
        bindparam("topics", type_=ARRAY(String)),
        bindparam("partitions", type_=ARRAY(Integer)),
        bindparam("offsets", type_=ARRAY(BigInteger)),
        bindparam("timestamps", type_=ARRAY(BigInteger)),
        bindparam("record_keys", type_=ARRAY(LargeBinary)),
        bindparam("values", type_=ARRAY(LargeBinary)),
    )
    .table_valued(
        column("topic", String),
        column("partition", Integer),
        column("record_offset", BigInteger),
        column("record_timestamp", BigInteger),
        column("record_key", LargeBinary),
        column("value", LargeBinary),
        with_ordinality="position",
        name="new",
    )
    .render_derived()
)
_COLUMNS = ("topic", "partition", "record_offset", "record_timestamp", "record_key", "value")
_ADD = Statement(
    insert(DeferredRecord)
    .from_select(
        ["subject_id", *_COLUMNS],
        # The identity column numbers the rows in this order, which is that of the records.
        select(_SUBJECT, *(_new.c[name] for name in _COLUMNS)).order_by(_new.c.position),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)
_some = select(literal(1)).select_from(DeferredRecord).limit(bindparam("limit", type_=Integer)).subquery("some")
_COUNT = Statement(select(func.count().label("n")).select_from(_some))
_WAITING = Statement(
    select(col(D.subject_id))
    .where(col(D.subject_id) == any_(bindparam("subject_ids", type_=ARRAY(Uuid))))
    .group_by(col(D.subject_id))
)
_last_attempt = func.max(col(D.next_attempt_at))
_DUE = Statement(
    select(col(D.subject_id))
    .group_by(col(D.subject_id))
    .having(_last_attempt <= func.now())
    .order_by(_last_attempt)
    .limit(bindparam("limit", type_=Integer))
)
_OF_SUBJECT = Statement(
    select(
        col(D.topic),
        col(D.partition),
        col(D.record_offset).label("offset"),
        col(D.record_timestamp).label("timestamp"),
        col(D.record_key).label("key"),
        col(D.value),
    )
    .where(col(D.subject_id) == _SUBJECT)
    .order_by(col(D.id))
    .limit(bindparam("limit", type_=Integer))
)
_RECORD = RowReader(StoredRecord, _OF_SUBJECT)
_gone = (
    func.unnest(
        bindparam("topics", type_=ARRAY(String)),
        bindparam("partitions", type_=ARRAY(Integer)),
        bindparam("offsets", type_=ARRAY(BigInteger)),
        bindparam("timestamps", type_=ARRAY(BigInteger)),
    )
    .table_valued(
        column("topic", String),
        column("partition", Integer),
        column("record_offset", BigInteger),
        column("record_timestamp", BigInteger),
        name="gone",
    )
    .render_derived()
)
_REMOVE = Statement(
    delete(DeferredRecord).where(col(D.subject_id) == _SUBJECT, tuple_(*_KEY[1:]).in_(select(*_gone.c)))
)
_seconds = func.least(_LONGEST_SECONDS, _FIRST_SECONDS * func.power(2, func.least(col(D.attempts), 10)))
_POSTPONE = Statement(
    update(DeferredRecord)
    .where(col(D.subject_id) == _SUBJECT)
    .values(
        attempts=col(D.attempts) + 1,
        # By seconds: the sum of a time and an interval depends on the time zone, and Citus refuses such functions.
        next_attempt_at=func.to_timestamp(func.extract("epoch", func.now()) + _seconds),
    )
)
_COUNTS = Statement(
    select(col(D.topic), col(D.partition), func.count().label("n")).group_by(col(D.topic), col(D.partition))
)


class NoRoom(Exception):
    """The bound of deferred records is reached: the partition waits."""


async def defer_records(connection: Connection, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
    """Defers records of one user or product, once each. Raises NoRoom. Two round trips."""
    row = await _COUNT.first(connection, limit=MOST)
    if row is None or row["n"] + len(records) > MOST:
        raise NoRoom
    await _ADD.run(
        connection,
        subject_id=subject_id,
        record_keys=[record.key for record in records],
        values=[record.value for record in records],
        **_keys(records),
    )


async def waiting_subjects(connection: Connection, subject_ids: Collection[UUID]) -> set[UUID]:
    """Returns the users and products that have deferred records."""
    return {row["subject_id"] for row in await _WAITING.all(connection, subject_ids=list(subject_ids))}


async def due_subjects(connection: Connection, limit: int) -> list[UUID]:
    """Returns users and products whose deferred records are due, those that wait longest first."""
    return [row["subject_id"] for row in await _DUE.all(connection, limit=limit)]


async def deferred_of(connection: Connection, subject_id: UUID, limit: int) -> list[StoredRecord]:
    """Returns the deferred records of a user or product, in their order."""
    return _RECORD.read_all(await _OF_SUBJECT.all(connection, subject_id=subject_id, limit=limit))


async def remove_deferred(connection: Connection, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
    """Deletes records that are no longer deferred."""
    await _REMOVE.run(connection, subject_id=subject_id, **_keys(records))


async def postpone(connection: Connection, subject_id: UUID) -> None:
    """Postpones the next attempt for a user's or product's records, for twice as long as the last time."""
    await _POSTPONE.run(connection, subject_id=subject_id)


async def count_deferred(connection: Connection) -> Mapping[tuple[str, int], int]:
    """Counts deferred records by topic and partition."""
    return {(row["topic"], row["partition"]): row["n"] for row in await _COUNTS.all(connection)}


def _keys(records: Sequence[KafkaRecord]) -> dict[str, list[object]]:
    return {
        "topics": [record.topic for record in records],
        "partitions": [record.partition for record in records],
        "offsets": [record.offset for record in records],
        "timestamps": [record.timestamp for record in records],
    }
