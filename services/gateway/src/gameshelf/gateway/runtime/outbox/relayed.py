"""The relay's statements on the outbox. Each one is bounded, however many records wait.

A lane is a shard of a topic. The relay that serves it holds two advisory locks to the end of its transaction: the
lane's own, and a shared one of the shard, which the release before takes exclusively for all topics of the shard.
"""

import random
from collections.abc import Collection, Sequence
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from asyncpg import Record
from gameshelf.gateway.runtime.distributed import PAGE, first_of_each, is_distributed
from gameshelf.gateway.runtime.outbox.store import LOCK_SPACE, SHARDS, RecordKey
from gameshelf.gateway.runtime.tables import OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import array, rows
from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    String,
    Uuid,
    all_,
    any_,
    bindparam,
    column,
    delete,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

OTHERS_AT_ONCE = 20
"""How many topics besides the service's own are returned at a time."""

_O = OutboxRecord
_TOPIC = bindparam("topic", type_=String)
_LIMIT = bindparam("limit", type_=Integer)

_own = rows("own", topic=("topics", String))
_OWN = Statement(select(_own.c.topic).where(select(col(_O.id)).where(col(_O.topic) == _own.c.topic).limit(1).exists()))


def _next_topic(after: Any) -> Any:
    # Jumps through the index from one topic to the next: DISTINCT would read every record.
    one = aliased(OutboxRecord)
    return select(col(one.topic)).where(col(one.topic) > after).order_by(col(one.topic)).limit(1).scalar_subquery()


_hops = select(_next_topic(bindparam("after", type_=String)).label("topic")).cte("hops", recursive=True)
_hops = _hops.union_all(select(_next_topic(_hops.c.topic)).where(_hops.c.topic.is_not(None)))
_OTHERS = Statement(select(_hops.c.topic).where(_hops.c.topic.is_not(None)).limit(OTHERS_AT_ONCE))

_lanes = rows("lanes", shard=("shards", SmallInteger), lane_key=("lane_keys", BigInteger))
# A random selection, so that relays of several instances share the shards instead of competing for the same ones.
_some = (
    select(_lanes.c.shard, _lanes.c.lane_key)
    .where(select(col(_O.id)).where(col(_O.topic) == _TOPIC, col(_O.shard) == _lanes.c.shard).limit(1).exists())
    .order_by(func.random())
    .limit(_LIMIT)
    .cte("some_lanes")
    .prefix_with("MATERIALIZED")
)
_TAKE_SHARDS = Statement(
    select(_some.c.shard).where(
        func.pg_try_advisory_xact_lock_shared(bindparam("space", type_=Integer), _some.c.shard),
        func.pg_try_advisory_xact_lock(_some.c.lane_key),
    )
)
_taken = (
    func.unnest(array("taken", SmallInteger)).table_valued(column("shard", SmallInteger), name="taken").render_derived()
)
_held = rows("held", key=("held_keys", String))
_oldest = (
    select(OutboxRecord)
    .where(
        col(_O.topic) == _TOPIC,
        col(_O.shard) == _taken.c.shard,
        # A subquery instead of an array: the server hashes its rows once, however many records are skipped.
        func.coalesce(col(_O.record_key), "").not_in(select(_held.c.key)),
    )
    .order_by(col(_O.id))
    .limit(_LIMIT)
    .lateral("oldest")
)
_PENDING = Statement(
    select(_oldest.c.user_id, _oldest.c.id, _oldest.c.record_key, _oldest.c.value, _oldest.c.traceparent)
    .select_from(_taken)
    .join(_oldest, true())
    .order_by(_oldest.c.shard, _oldest.c.id)
)
# The forms for distributed tables: the topics, the shards of a topic and the records of a lane are read one by one.
_HAS = Statement(select(col(_O.id)).where(col(_O.topic) == _TOPIC).limit(1))
_TOPICS = Statement(
    select(col(_O.topic))
    .where(col(_O.topic) > bindparam("after", type_=String))
    .order_by(col(_O.topic), col(_O.shard), col(_O.id))
    .limit(_LIMIT)
)
_SHARDS_OF = Statement(
    select(col(_O.shard))
    .where(col(_O.topic) == _TOPIC, col(_O.shard) > bindparam("after", type_=SmallInteger))
    .order_by(col(_O.shard), col(_O.id))
    .limit(_LIMIT)
)
_TRY_LOCKS = Statement(
    select(_lanes.c.shard).where(
        func.pg_try_advisory_xact_lock_shared(bindparam("space", type_=Integer), _lanes.c.shard),
        func.pg_try_advisory_xact_lock(_lanes.c.lane_key),
    )
)
_PENDING_OF = Statement(
    select(col(_O.user_id), col(_O.id), col(_O.record_key), col(_O.value), col(_O.traceparent))
    .where(
        col(_O.topic) == _TOPIC,
        col(_O.shard) == bindparam("shard", type_=SmallInteger),
        func.coalesce(col(_O.record_key), "") != all_(array("held_keys", String)),
    )
    .order_by(col(_O.id))
    .limit(_LIMIT)
)
_gone = rows("gone", user_id=("user_ids", Uuid), id=("ids", BigInteger))
_REMOVE_OF_SHARDS = Statement(delete(OutboxRecord).where(col(_O.user_id) == _gone.c.user_id, col(_O.id) == _gone.c.id))
# Not a join: the outbox is often empty when its statistics are taken, and the planner then joins each of the given
# records with each one that is there. IS TRUE keeps the subquery from becoming a join: the server hashes its rows once.
_REMOVE = Statement(
    delete(OutboxRecord).where(
        col(_O.user_id) == any_(array("user_ids", Uuid)),
        tuple_(col(_O.user_id), col(_O.id)).in_(select(_gone.c.user_id, _gone.c.id)).is_(true()),
    )
)

PLANNED_EACH_TIME = "SET LOCAL plan_cache_mode = force_custom_plan"
"""Begins a transaction of the relay. A plan that is kept was made for the outbox as it was then, empty or full."""

_ALL_SHARDS = tuple(range(2 * SHARDS))


def lane_key(topic: str, shard: int) -> int:
    """Returns the key of a lane's advisory lock. A collision of two lanes is harmless: one waits for the other."""
    return int.from_bytes(blake2b(f"{shard} {topic}".encode(), digest_size=8).digest(), "big", signed=True)


async def topics(connection: Connection, own: Collection[str], after: str | None) -> tuple[list[str], list[str]]:
    """Returns those of the ``own`` topics that have records, and the next other ones after ``after``, in order; none of
    these without ``after``.

    At most two round trips; where tables are distributed one while little waits, else one for each topic.
    """
    if is_distributed(connection):
        return await _topics_one_by_one(connection, own, after)
    have = [row["topic"] for row in await _OWN.all(connection, topics=list(own))] if own else []
    return have, [row["topic"] for row in await _OTHERS.all(connection, after=after)] if after is not None else []


async def _topics_one_by_one(
    connection: Connection, own: Collection[str], after: str | None
) -> tuple[list[str], list[str]]:
    async def read(after: str) -> list[Record]:
        return await _TOPICS.all(connection, after=after, limit=PAGE)

    page = await read("")
    if len(page) < PAGE:
        every = dict.fromkeys(row["topic"] for row in page)
        others = [topic for topic in every if topic > after] if after is not None else []
        return [topic for topic in own if topic in every], others[:OTHERS_AT_ONCE]
    have = [topic for topic in own if await _HAS.first(connection, topic=topic)]
    if after is None:
        return have, []
    rows_of_others = await first_of_each(read, itemgetter("topic"), after, OTHERS_AT_ONCE)
    return have, [row["topic"] for row in rows_of_others]


async def take_shards(connection: Connection, topic: str, count: int) -> list[int]:
    """Locks some shards of a topic that have records, so that only this transaction serves them. Never waits."""
    if is_distributed(connection):
        some = await _some_shards(connection, topic, count)
        keys = [lane_key(topic, shard) for shard in some]
        found = await _TRY_LOCKS.all(connection, shards=some, lane_keys=keys, space=LOCK_SPACE) if some else []
    else:
        keys = [lane_key(topic, shard) for shard in _ALL_SHARDS]
        found = await _TAKE_SHARDS.all(
            connection, topic=topic, shards=_ALL_SHARDS, lane_keys=keys, space=LOCK_SPACE, limit=count
        )
    return [row["shard"] for row in found]


async def _some_shards(connection: Connection, topic: str, count: int) -> list[int]:
    async def read(after: int) -> list[Record]:
        return await _SHARDS_OF.all(connection, topic=topic, after=after, limit=PAGE)

    every = await first_of_each(read, itemgetter("shard"), _ALL_SHARDS[0] - 1, len(_ALL_SHARDS))
    return random.sample([row["shard"] for row in every], min(count, len(every)))


async def pending(
    connection: Connection, topic: str, shards: Sequence[int], limit: int, held_keys: Sequence[str] = ()
) -> list[Record]:
    """Returns the oldest records of each shard of a topic, in order: ``user_id, id, record_key, value, traceparent``.

    Records with one of the ``held_keys`` are skipped; "" stands for records without a key.
    """
    held = list(held_keys)
    if not is_distributed(connection):
        return await _PENDING.all(connection, topic=topic, taken=list(shards), limit=limit, held_keys=held)
    return [
        row
        for shard in sorted(shards)
        for row in await _PENDING_OF.all(connection, topic=topic, shard=shard, limit=limit, held_keys=held)
    ]


async def remove_records(connection: Connection, keys: Sequence[RecordKey]) -> None:
    """Removes records that the broker has acknowledged, or that are kept elsewhere."""
    statement = _REMOVE_OF_SHARDS if is_distributed(connection) else _REMOVE
    await statement.run(connection, user_ids=[one.user_id for one in keys], ids=[one.id for one in keys])
