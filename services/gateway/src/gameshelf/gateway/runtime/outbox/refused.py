"""Records that Kafka refused because of their content (too large, no key on a compacted topic), set aside in a table.

The relay continues with the next records of the shard. Consumers notice the gap in the user's event numbers. Nothing is
lost: every hour the refused records are put back into the outbox, in case the topic accepts them by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gameshelf.gateway.runtime.distributed import is_distributed
from gameshelf.gateway.runtime.outbox.store import RECORD_COLUMNS, RecordKey
from gameshelf.gateway.runtime.tables import OutboxRecord, RefusedRecord
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import rows
from sqlalchemy import BigInteger, Integer, String, Uuid, and_, bindparam, delete, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_R, _O = RefusedRecord, OutboxRecord
_COUNTED = 10_000
_PUT_BACK_AT_ONCE = 500


_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RefusedKind:
    """Records of a topic that were refused for the same reason."""

    topic: str
    reason: str
    """The name of Kafka's error."""
    count: int
    oldest_at: datetime
    """When the oldest of them was put into the outbox."""
    detail: str
    """Kafka's message about one of them."""


@dataclass(frozen=True, slots=True)
class KafkaRefusal:
    """A record of the outbox, and the reason for which Kafka refused it."""

    key: RecordKey
    reason: str


_refusals = rows("refusals", user_id=("user_ids", Uuid), id=("ids", BigInteger), reason=("reasons", String))
_SET_ASIDE = Statement(
    insert(RefusedRecord)
    .from_select(
        ["id", "created_at", "reason", *RECORD_COLUMNS],
        select(
            col(_O.id),
            col(_O.created_at),
            func.left(_refusals.c.reason, 500),
            *(col(getattr(_O, name)) for name in RECORD_COLUMNS),
        ).join(_refusals, and_(_refusals.c.user_id == col(_O.user_id), _refusals.c.id == col(_O.id))),
        include_defaults=False,
    )
    .on_conflict_do_nothing()  # another relay may have sent the same record
)


def _put_back(*, locks: bool) -> Statement:
    found = (
        select(col(_R.user_id), col(_R.id))
        .where(col(_R.refused_at) < func.now() - text("interval '1 hour'"))
        .order_by(col(_R.refused_at))
        .limit(bindparam("limit", type_=Integer))
    )
    due = (found.with_for_update(skip_locked=True) if locks else found).cte("due")
    returned = (
        delete(RefusedRecord)
        .where(tuple_(col(_R.user_id), col(_R.id)).in_(select(due.c.user_id, due.c.id)))
        .returning(col(_R.id), *(col(getattr(_R, name)) for name in RECORD_COLUMNS))
        .cte("returned")
    )
    return Statement(
        insert(OutboxRecord).from_select(
            RECORD_COLUMNS,
            select(*(returned.c[name] for name in RECORD_COLUMNS)).order_by(returned.c.id),
            include_defaults=False,
        )
    )


_PUT_BACK = _put_back(locks=True)
# Rows of several shards can't be locked: two instances may find the same records, of which each is deleted by one.
_PUT_BACK_WITHOUT_LOCKS = _put_back(locks=False)
_some = select(literal(1)).select_from(RefusedRecord).limit(bindparam("limit", type_=Integer)).subquery("some")
_COUNT = Statement(select(func.count().label("n")).select_from(_some))
_seen = (
    select(col(_R.topic), func.split_part(col(_R.reason), ":", 1).label("name"), col(_R.reason), col(_R.created_at))
    .order_by(col(_R.refused_at))
    .limit(bindparam("limit", type_=Integer))
    .subquery("seen")
)
_KINDS = Statement(
    select(
        _seen.c.topic,
        _seen.c.name.label("reason"),
        func.count().label("count"),
        func.min(_seen.c.created_at).label("oldest_at"),
        func.max(_seen.c.reason).label("detail"),
    )
    .group_by(_seen.c.topic, _seen.c.name)
    .order_by(func.count().desc(), _seen.c.topic, _seen.c.name)
    .limit(_SHOWN)
)
_KIND = RowReader(RefusedKind, _KINDS)


async def set_aside(connection: Connection, refusals: Sequence[KafkaRefusal]) -> None:
    """Copies records into the table of refused ones, in the transaction that removes them from the outbox."""
    await _SET_ASIDE.run(
        connection,
        user_ids=[one.key.user_id for one in refusals],
        ids=[one.key.id for one in refusals],
        reasons=[one.reason for one in refusals],
    )


async def put_back(connection: Connection) -> int:
    """Moves some records that were refused at least an hour ago back into the outbox; returns how many."""
    statement = _PUT_BACK_WITHOUT_LOCKS if is_distributed(connection) else _PUT_BACK
    return await statement.run(connection, limit=_PUT_BACK_AT_ONCE)


async def kinds(connection: Connection) -> tuple[list[RefusedKind], bool]:
    """Returns refused records by topic and reason, most frequent first, and whether there are more than 10,000.

    Two round trips.
    """
    found = _KIND.read_all(await _KINDS.all(connection, limit=_COUNTED))
    row = await _COUNT.first(connection, limit=_COUNTED + 1)
    return found, row is not None and row["n"] > _COUNTED


async def count_refused(connection: Connection) -> int:
    """Counts refused records, up to 10,000."""
    row = await _COUNT.first(connection, limit=_COUNTED)
    return row["n"] if row else 0
