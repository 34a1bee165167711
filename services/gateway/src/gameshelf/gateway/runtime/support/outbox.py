"""Counts the records that wait for Kafka, in bounded time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record
from gameshelf.gateway.runtime.outbox.store import SHARDS
from gameshelf.gateway.runtime.tables import ForwardedEvent, OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Double, Integer, cast, column, func, literal, select, true
from sqlmodel import col

COUNTED = 100_000
"""Counting stops here, for records of user events and of bulk topics each."""
_SEEN_A_SHARD = 500
"""Number of the oldest records of each shard whose topic and age are exact."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The records of a topic that wait."""

    topic: str
    pending: int
    oldest_at: datetime
    is_more: bool
    """True if ``pending`` is a lower bound."""


@dataclass(frozen=True, slots=True)
class BacklogByTopic:
    """All records that wait."""

    topics: Sequence[Waiting]
    """Ordered by name."""
    lag_seconds: float
    """How long the oldest record has waited."""
    forwarded: int
    is_more: bool
    """True if some numbers are lower bounds."""


_O = OutboxRecord
_shards = func.generate_series(0, 2 * SHARDS - 1).table_valued(column("shard", Integer), name="shards").render_derived()
_BULK, _OTHERS = _shards.c.shard >= SHARDS, _shards.c.shard < SHARDS


def _topics(a_shard: int, at_most: int, *which: Any) -> Statement:
    """Selects the topics of the oldest records of each shard, with their number and the time of the oldest one."""
    oldest = (
        select(col(_O.topic), col(_O.created_at))
        .where(col(_O.shard) == _shards.c.shard)
        .order_by(col(_O.id))
        .limit(a_shard)
        .lateral("oldest")
    )
    found = select(*oldest.c).select_from(_shards).join(oldest, true()).where(*which).limit(at_most).subquery("found")
    waits = func.extract("epoch", func.now() - func.min(found.c.created_at))
    return Statement(
        select(
            found.c.topic,
            func.count().label("count"),
            func.min(found.c.created_at).label("oldest_at"),
            cast(waits, Double).label("lag_seconds"),
        ).group_by(found.c.topic)
    )


_FIRST = _topics(_SEEN_A_SHARD, 2 * SHARDS * _SEEN_A_SHARD)
_COUNTS = tuple(_topics(COUNTED + 1, COUNTED + 1, which) for which in (_OTHERS, _BULK))
_some_forwarded = select(literal(1)).select_from(ForwardedEvent).limit(COUNTED + 1).subquery()
_FORWARDED = Statement(select(func.count().label("n")).select_from(_some_forwarded))


async def backlog(connection: Connection) -> BacklogByTopic:
    """Counts the records that wait for Kafka, per topic. Four round trips."""
    first = {row["topic"]: row for row in await _FIRST.all(connection)}
    counted: dict[str, tuple[int, bool]] = {}
    for statement in _COUNTS:
        rows = await statement.all(connection)
        is_more = sum(row["count"] for row in rows) > COUNTED
        counted |= {row["topic"]: (min(row["count"], COUNTED), is_more) for row in rows}
    forwarded = await _FORWARDED.first(connection)
    waits = forwarded["n"] if forwarded else 0
    topics = [_waiting(found, *counted.get(topic, (0, False))) for topic, found in sorted(first.items())]
    return BacklogByTopic(
        topics,
        max((found["lag_seconds"] for found in first.values()), default=0.0),
        min(waits, COUNTED),
        waits > COUNTED or any(topic.is_more for topic in topics),
    )


def _waiting(first: Record, counted: int, is_more: bool) -> Waiting:
    """Combines both counts of a topic: the count of all records may have reached its limit before this topic."""
    return Waiting(first["topic"], max(counted, first["count"]), first["oldest_at"], is_more)
