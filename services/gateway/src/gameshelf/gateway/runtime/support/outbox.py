"""Counts the records that wait for Kafka, in bounded time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gameshelf.gateway.runtime.outbox.lanes import waiting_lanes
from gameshelf.gateway.runtime.tables import ForwardedEvent, OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Integer, String, bindparam, func, literal, select
from sqlmodel import col

COUNTED = 100_000
"""Counting stops here, for each topic and for forwarded events."""


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
_some = (
    select(literal(1))
    .where(col(_O.topic) == bindparam("topic", type_=String))
    .order_by(col(_O.shard), col(_O.id))
    .limit(bindparam("limit", type_=Integer))
    .subquery("some")
)
_COUNT_OF = Statement(select(func.count().label("n")).select_from(_some))
_some_forwarded = select(literal(1)).select_from(ForwardedEvent).limit(COUNTED + 1).subquery()
_FORWARDED = Statement(select(func.count().label("n")).select_from(_some_forwarded))


async def backlog(connection: Connection) -> BacklogByTopic:
    """Counts the records that wait for Kafka, per topic. Two round trips, and one for each topic."""
    found = await waiting_lanes(connection)
    oldest: dict[str, datetime] = {}
    for lane in found:
        oldest[lane["topic"]] = min(lane["created_at"], oldest.get(lane["topic"], lane["created_at"]))
    topics = [await _waiting(connection, topic, oldest_at) for topic, oldest_at in sorted(oldest.items())]
    forwarded = await _FORWARDED.first(connection)
    waits = forwarded["n"] if forwarded else 0
    return BacklogByTopic(
        topics,
        max((lane["seconds"] for lane in found), default=0.0),
        min(waits, COUNTED),
        waits > COUNTED or any(topic.is_more for topic in topics),
    )


async def _waiting(connection: Connection, topic: str, oldest_at: datetime) -> Waiting:
    row = await _COUNT_OF.first(connection, topic=topic, limit=COUNTED + 1)
    pending = row["n"] if row else 0
    return Waiting(topic, min(pending, COUNTED), oldest_at, pending > COUNTED)
