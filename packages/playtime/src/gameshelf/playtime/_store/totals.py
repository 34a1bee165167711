"""Totals: the unions, sums and corrections that are made from the ledger."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime._models import PlaytimeCorrection, PlaytimeInterval, PlaytimeTotal
from gameshelf.playtime._rules import Interval
from sqlalchemy import BigInteger, Integer, Text, Uuid, and_, any_, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_I, _T = PlaytimeInterval, PlaytimeTotal


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a product's ledger and corrections."""

    seconds: int
    last_played_at: datetime | None

    def with_played(self, played: "Played") -> "Total":
        """The total after an addition."""
        times = [one for one in (self.last_played_at, played.last_played_at) if one]
        return Total(self.seconds + played.seconds + played.corrected_seconds, max(times, default=None))


_NOTHING = Total(0, None)


@dataclass(frozen=True, slots=True)
class Played:
    """An addition to a product's total."""

    sessions: int = 0
    seconds: int = 0
    corrected_seconds: int = 0
    last_played_at: datetime | None = None


# Of the intervals that begin before a span only the newest can reach into it, since a union's don't overlap. From there
# the primary key is read, however long the history is.
_span = rows("span", product_id=("product_ids", Uuid), low=("lows", TIME), high=("highs", TIME))
_before = aliased(PlaytimeInterval)
_newest_before = (
    select(func.max(col(_before.start_time)))
    .where(
        col(_before.user_id) == user(),
        col(_before.product_id) == _span.c.product_id,
        col(_before.start_time) <= _span.c.low,
    )
    .scalar_subquery()
)
_TOUCHING = Statement(
    select(col(_I.product_id), col(_I.start_time), col(_I.end_time))
    .select_from(_span)
    .join(_I, and_(col(_I.user_id) == user(), col(_I.product_id) == _span.c.product_id))
    .where(
        col(_I.start_time) >= func.coalesce(_newest_before, _span.c.low),
        col(_I.start_time) <= _span.c.high,
        col(_I.end_time) >= _span.c.low,
    )
    .order_by(col(_I.product_id), col(_I.start_time))
)
_removed = rows("removed", product_id=("removed_products", Uuid), start_time=("removed_starts", TIME))
_remove = delete(PlaytimeInterval).where(
    col(_I.user_id) == user(),
    tuple_(col(_I.product_id), col(_I.start_time)).in_(select(_removed.c.product_id, _removed.c.start_time)),
)
_added = rows("added", product_id=("product_ids", Uuid), start_time=("starts", TIME), end_time=("ends", TIME))
_add = insert(PlaytimeInterval).from_select(
    ["user_id", "product_id", "start_time", "end_time"], select(user(), *_added.c), include_defaults=False
)
# An interval that only ends later keeps its key. It is not among the removed ones, whose keys stay taken until the end
# of the statement.
_REPLACE_INTERVALS = Statement(
    _add.on_conflict_do_update(
        index_elements=["user_id", "product_id", "start_time"], set_={"end_time": _add.excluded.end_time}
    ).add_cte(_remove.cte("removed_intervals"))
)

_played = rows(
    "played",
    product_id=("product_ids", Uuid),
    played_seconds=("seconds", BigInteger),
    corrected_seconds=("corrections", BigInteger),
    session_count=("counts", Integer),
    last_played_at=("last_played", TIME),
)
_insert_totals = insert(PlaytimeTotal).from_select(
    ["user_id", "product_id", "played_seconds", "corrected_seconds", "session_count", "last_played_at"],
    select(user(), *_played.c),
    include_defaults=False,
)
_TOTALS = Statement(
    select(
        col(_T.product_id),
        (col(_T.played_seconds) + col(_T.corrected_seconds)).label("seconds"),
        col(_T.last_played_at),
    ).where(col(_T.user_id) == user(), col(_T.product_id) == any_(array("product_ids", Uuid)))
)
_ADD_TO_TOTALS = Statement(
    _insert_totals.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={
            "played_seconds": col(_T.played_seconds) + _insert_totals.excluded.played_seconds,
            "corrected_seconds": col(_T.corrected_seconds) + _insert_totals.excluded.corrected_seconds,
            "session_count": col(_T.session_count) + _insert_totals.excluded.session_count,
            "last_played_at": func.greatest(col(_T.last_played_at), _insert_totals.excluded.last_played_at),
        },
    )
)

_TOTAL = RowReader(Total, _TOTALS, others=("product_id",))
_CORRECT = Statement(
    insert(PlaytimeCorrection).values(
        user_id=user(),
        id=bindparam("correction_id", type_=Uuid),
        product_id=bindparam("product_id", type_=Uuid),
        seconds=bindparam("seconds", type_=BigInteger),
        reason=bindparam("reason", type_=Text),
    )
)


def lookup_totals(user_id: UUID, product_ids: Collection[UUID]) -> BoundStatement:
    """What ``TotalStore.totals`` reads."""
    return _TOTALS.bind(user_id=user_id, product_ids=list(product_ids))


def lookup_touching(user_id: UUID, spans: Mapping[UUID, Interval]) -> BoundStatement:
    """What ``TotalStore.intervals_touching`` reads."""
    return _TOUCHING.bind(
        user_id=user_id,
        product_ids=list(spans),
        lows=[span.start for span in spans.values()],
        highs=[span.end for span in spans.values()],
    )


class TotalStore:
    """Totals of one user, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def intervals_touching(self, user_id: UUID, spans: Mapping[UUID, Interval]) -> dict[UUID, list[Interval]]:
        """The intervals of each product's union that overlap or touch its span."""
        rows = await lookup_touching(user_id, spans).all(self._connection)
        found: dict[UUID, list[Interval]] = defaultdict(list)
        for row in rows:
            found[row["product_id"]].append(Interval(row["start_time"], row["end_time"]))
        return found

    async def replace_intervals(
        self, user_id: UUID, removed: Sequence[tuple[UUID, Interval]], added: Sequence[tuple[UUID, Interval]]
    ) -> None:
        """Deletes intervals of unions, given with their products, and writes others. One statement, or none."""
        if not removed and not added:
            return
        kept = {(product_id, interval.start) for product_id, interval in added}
        gone = [(product_id, one.start) for product_id, one in removed if (product_id, one.start) not in kept]
        await _REPLACE_INTERVALS.write(
            self._connection,
            user_id=user_id,
            removed_products=[product_id for product_id, _ in gone],
            removed_starts=[start for _, start in gone],
            product_ids=[product_id for product_id, _ in added],
            starts=[interval.start for _, interval in added],
            ends=[interval.end for _, interval in added],
        )

    async def totals(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, Total]:
        """The totals of these products, zero where nothing was played."""
        rows = await lookup_totals(user_id, product_ids).all(self._connection)
        found = {row["product_id"]: _TOTAL.read(row) for row in rows}
        return {product_id: found.get(product_id, _NOTHING) for product_id in product_ids}

    async def add_played(
        self, user_id: UUID, played: Mapping[UUID, Played], totals: Mapping[UUID, Total]
    ) -> dict[UUID, Total]:
        """Adds to the products' totals, which were read before. Returns the new totals."""
        await _ADD_TO_TOTALS.write(
            self._connection,
            user_id=user_id,
            product_ids=list(played),
            seconds=[one.seconds for one in played.values()],
            corrections=[one.corrected_seconds for one in played.values()],
            counts=[one.sessions for one in played.values()],
            last_played=[one.last_played_at for one in played.values()],
        )
        return {product_id: totals[product_id].with_played(one) for product_id, one in played.items()}

    async def add_correction(
        self, user_id: UUID, correction_id: UUID, product_id: UUID, seconds: int, reason: str
    ) -> None:
        """Writes a correction by support. The caller adds it to the total."""
        await _CORRECT.write(
            self._connection,
            user_id=user_id,
            correction_id=correction_id,
            product_id=product_id,
            seconds=seconds,
            reason=reason,
        )
