"""Measures in bounded time how many records wait for Kafka, and how long; every process does it every two seconds."""

from dataclasses import dataclass

from gameshelf.gateway.runtime.distributed import estimated_rows, is_distributed
from gameshelf.gateway.runtime.outbox.lanes import MOST_LANES, lanes, waiting_lanes
from gameshelf.gateway.runtime.tables import OutboxRecord
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import BigInteger, Double, case, cast, func, literal_column, select
from sqlmodel import col

COUNTED = 2_000
"""Up to this number records are counted. Beyond it the result is PostgreSQL's estimate for the table."""

_O = OutboxRecord


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """The records that wait for Kafka."""

    pending: int
    lag_seconds: float
    """How long the oldest record of any lane has waited."""


# Read in index order, from the index alone: the table may be full of dead rows of sent records.
_in_order = select(col(_O.shard)).order_by(col(_O.topic), col(_O.shard), col(_O.id))
_some = _in_order.limit(COUNTED + 1).subquery("some")
_COUNT = Statement(select(func.count().label("records")).select_from(_some))
_counted = select(func.count().label("records")).select_from(_some).cte("counted")
_estimated = literal_column(
    "(SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = 'gateway.outbox'::regclass)", BigInteger
)
_first = select(lanes().c.created_at).limit(MOST_LANES).subquery("first")
_oldest = select(func.min(_first.c.created_at)).scalar_subquery()
_MEASURE = Statement(
    select(
        case((_counted.c.records <= COUNTED, _counted.c.records), else_=func.greatest(_estimated, COUNTED + 1)).label(
            "pending"
        ),
        cast(func.coalesce(func.extract("epoch", func.now() - _oldest), 0), Double).label("lag"),
    ).select_from(_counted)
)


async def measure(connection: Connection) -> OutboxBacklog:
    """Measures the backlog in a few milliseconds, whatever its size. One round trip; where tables are distributed one
    for each lane with many records.
    """
    if is_distributed(connection):
        return await _measure_distributed(connection)
    row = await _MEASURE.first(connection)
    return OutboxBacklog(row["pending"], row["lag"]) if row else OutboxBacklog(0, 0.0)


async def _measure_distributed(connection: Connection) -> OutboxBacklog:
    row = await _COUNT.first(connection)
    pending = row["records"] if row else 0
    if pending > COUNTED:
        pending = max(pending, await estimated_rows(connection, "gateway.outbox"))
    return OutboxBacklog(pending, max((lane["seconds"] for lane in await waiting_lanes(connection)), default=0.0))
