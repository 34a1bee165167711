"""Totals: the unions, sums and corrections that are made from the ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.playtime._models import PlaytimeCorrection, PlaytimeInterval, PlaytimeTotal
from gameshelf.playtime._rules import Interval
from sqlalchemy import BigInteger, Integer, Text, Uuid, and_, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_I, _T = PlaytimeInterval, PlaytimeTotal


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a product's ledger and corrections."""

    seconds: int
    last_played_at: datetime | None


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
_removed = rows("removed", product_id=("product_ids", Uuid), start_time=("starts", TIME))
_DELETE_INTERVALS = Statement(
    delete(PlaytimeInterval).where(
        col(_I.user_id) == user(),
        tuple_(col(_I.product_id), col(_I.start_time)).in_(select(_removed.c.product_id, _removed.c.start_time)),
    )
)
_added = rows("added", product_id=("product_ids", Uuid), start_time=("starts", TIME), end_time=("ends", TIME))
_ADD_INTERVALS = Statement(
    insert(PlaytimeInterval).from_select(
        ["user_id", "product_id", "start_time", "end_time"], select(user(), *_added.c), include_defaults=False
    )
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
_ADD_TO_TOTALS = Statement(
    _insert_totals.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={
            "played_seconds": col(_T.played_seconds) + _insert_totals.excluded.played_seconds,
            "corrected_seconds": col(_T.corrected_seconds) + _insert_totals.excluded.corrected_seconds,
            "session_count": col(_T.session_count) + _insert_totals.excluded.session_count,
            "last_played_at": func.greatest(col(_T.last_played_at), _insert_totals.excluded.last_played_at),
        },
    ).returning(
        col(_T.product_id),
        (col(_T.played_seconds) + col(_T.corrected_seconds)).label("seconds"),
        col(_T.last_played_at),
    )
)

_TOTAL = RowReader(Total, _ADD_TO_TOTALS, others=("product_id",))
_CORRECT = Statement(
    insert(PlaytimeCorrection).values(
        user_id=user(),
        id=bindparam("correction_id", type_=Uuid),
        product_id=bindparam("product_id", type_=Uuid),
        seconds=bindparam("seconds", type_=BigInteger),
        reason=bindparam("reason", type_=Text),
    )
)


class TotalStore:
    """Totals of one user, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def intervals_touching(self, user_id: UUID, spans: Mapping[UUID, Interval]) -> dict[UUID, list[Interval]]:
        """The intervals of each product's union that overlap or touch its span."""
        rows = await _TOUCHING.all(
            self._connection,
            user_id=user_id,
            product_ids=list(spans),
            lows=[span.start for span in spans.values()],
            highs=[span.end for span in spans.values()],
        )
        found: dict[UUID, list[Interval]] = defaultdict(list)
        for row in rows:
            found[row["product_id"]].append(Interval(row["start_time"], row["end_time"]))
        return found

    async def replace_intervals(
        self, user_id: UUID, removed: Sequence[tuple[UUID, Interval]], added: Sequence[tuple[UUID, Interval]]
    ) -> None:
        """Deletes intervals of unions, given with their products, and inserts others. At most two statements."""
        if removed:
            await _DELETE_INTERVALS.run(
                self._connection,
                user_id=user_id,
                product_ids=[product_id for product_id, _ in removed],
                starts=[interval.start for _, interval in removed],
            )
        if added:
            await _ADD_INTERVALS.run(
                self._connection,
                user_id=user_id,
                product_ids=[product_id for product_id, _ in added],
                starts=[interval.start for _, interval in added],
                ends=[interval.end for _, interval in added],
            )

    async def add_played(self, user_id: UUID, played: Mapping[UUID, Played]) -> dict[UUID, Total]:
        """Adds to the products' totals. Returns the new totals."""
        rows = await _ADD_TO_TOTALS.all(
            self._connection,
            user_id=user_id,
            product_ids=list(played),
            seconds=[one.seconds for one in played.values()],
            corrections=[one.corrected_seconds for one in played.values()],
            counts=[one.sessions for one in played.values()],
            last_played=[one.last_played_at for one in played.values()],
        )
        return {row["product_id"]: _TOTAL.read(row) for row in rows}

    async def add_correction(
        self, user_id: UUID, correction_id: UUID, product_id: UUID, seconds: int, reason: str
    ) -> None:
        """Writes a correction by support. The caller adds it to the total."""
        await _CORRECT.run(
            self._connection,
            user_id=user_id,
            correction_id=correction_id,
            product_id=product_id,
            seconds=seconds,
            reason=reason,
        )
