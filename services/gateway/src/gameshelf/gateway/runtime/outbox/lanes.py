"""The lanes of the outbox in which records wait, and since when: each shard of a topic is one."""

from asyncpg import Record
from gameshelf.gateway.runtime.distributed import PAGE, first_of_each, is_distributed
from gameshelf.gateway.runtime.tables import OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import CTE, Double, Integer, SmallInteger, String, bindparam, cast, func, select, true, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

MOST_LANES = 1_000
"""How many lanes are looked at: there are 32 of each topic at most."""

_O = OutboxRecord
_LANE = (col(_O.topic), col(_O.shard))
_BEFORE_ALL = ("", -(2**15))


def lanes() -> CTE:
    """Selects ``topic``, ``shard`` and ``created_at`` of the oldest record of each lane: jumps through the index from
    one lane to the next. The caller limits it to ``MOST_LANES``, which ends the walk.
    """
    first = select(*_LANE, col(_O.created_at)).order_by(*_LANE, col(_O.id)).limit(1).subquery("first_lane")
    hops = select(*first.c).cte("lanes", recursive=True)
    one = aliased(OutboxRecord)
    following = (
        select(col(one.topic), col(one.shard), col(one.created_at))
        .where(tuple_(col(one.topic), col(one.shard)) > tuple_(hops.c.topic, hops.c.shard))
        .order_by(col(one.topic), col(one.shard), col(one.id))
        .limit(1)
        .lateral("next_lane")
    )
    return hops.union_all(select(*following.c).select_from(hops).join(following, true()))


_all = lanes()
_LANES = Statement(
    select(*_all.c, cast(func.extract("epoch", func.now() - _all.c.created_at), Double).label("seconds")).limit(
        MOST_LANES
    )
)
_PAGE = Statement(
    select(
        *_LANE,
        col(_O.created_at),
        cast(func.extract("epoch", func.now() - col(_O.created_at)), Double).label("seconds"),
    )
    .where(tuple_(*_LANE) > tuple_(bindparam("topic", type_=String), bindparam("shard", type_=SmallInteger)))
    .order_by(*_LANE, col(_O.id))
    .limit(bindparam("limit", type_=Integer))
)


async def waiting_lanes(connection: Connection) -> list[Record]:
    """Returns ``topic``, ``shard``, ``created_at`` of each lane's oldest record, and its age in ``seconds``. One round
    trip; where tables are distributed, one for each lane with many records.
    """
    if not is_distributed(connection):
        return await _LANES.all(connection)

    async def read(after: tuple[str, int]) -> list[Record]:
        return await _PAGE.all(connection, topic=after[0], shard=after[1], limit=PAGE)

    return await first_of_each(read, lambda row: (row["topic"], row["shard"]), _BEFORE_ALL, MOST_LANES)
