"""Measures in bounded time how many records wait for Kafka, and how long; every process does it every two seconds."""

from dataclasses import dataclass

from gameshelf.gateway.runtime.outbox.store import SHARDS
from gameshelf.gateway.runtime.tables import OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import BigInteger, Double, Integer, case, cast, column, func, literal_column, select, true
from sqlmodel import col

COUNTED = 2_000
"""Up to this number records are counted. Beyond it the result is PostgreSQL's estimate for the table."""

_O = OutboxRecord


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """The records that wait for Kafka."""

    pending: int
    lag_seconds: float
    """How long the oldest record of any shard has waited."""


# Read in index order, from the index alone: the table may be full of dead rows of sent records.
_some = select(col(_O.shard)).order_by(col(_O.shard), col(_O.id)).limit(COUNTED + 1).subquery("some")
_counted = select(func.count().label("records")).select_from(_some).cte("counted")
_estimated = literal_column(
    "(SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = 'gateway.outbox'::regclass)", BigInteger
)
_shards = func.generate_series(0, 2 * SHARDS - 1).table_valued(column("shard", Integer), name="shards").render_derived()
_first = (
    select(col(_O.created_at)).where(col(_O.shard) == _shards.c.shard).order_by(col(_O.id)).limit(1).lateral("first")
)
_oldest = select(func.min(_first.c.created_at)).select_from(_shards).join(_first, true()).scalar_subquery()
_MEASURE = Statement(
    select(
        case((_counted.c.records <= COUNTED, _counted.c.records), else_=func.greatest(_estimated, COUNTED + 1)).label(
            "pending"
        ),
        cast(func.coalesce(func.extract("epoch", func.now() - _oldest), 0), Double).label("lag"),
    ).select_from(_counted)
)


async def measure(connection: Connection) -> OutboxBacklog:
    """Measures the backlog in one round trip and a few milliseconds, whatever its size."""
    row = await _MEASURE.first(connection)
    return OutboxBacklog(row["pending"], row["lag"]) if row else OutboxBacklog(0, 0.0)
