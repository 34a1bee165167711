"""Recomputes totals and unions from the ledger and the corrections, compares them with the stored ones, and replaces
those that differ.

The database computes: it sorts on disk what does not fit into its memory, so a ledger may have a million sessions. Only
one row for each product that differs is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime._models import PlaytimeCorrection, PlaytimeInterval, PlaytimeSession, PlaytimeTotal
from gameshelf.playtime._unions import seconds, unions, whole
from sqlalchemy import (
    BigInteger,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of one product's ledger."""

    played_seconds: int
    """The length of the union."""
    corrected_seconds: int
    session_count: int
    """Sessions that ended."""
    last_played_at: datetime | None
    intervals: int
    """The number of stretches of time that the union consists of."""

    @property
    def total_playtime_seconds(self) -> int:
        return self.played_seconds + self.corrected_seconds


@dataclass(frozen=True, slots=True)
class TotalDiscrepancy:
    """A product whose stored figures differ from those of its ledger."""

    product_id: UUID
    stored: Figures
    counted: Figures
    wrong_intervals: int
    """Missing stretches of the union and surplus ones; a stretch with a wrong end counts as both."""


_S, _I, _T, _C = PlaytimeSession, PlaytimeInterval, PlaytimeTotal, PlaytimeCorrection
_PRODUCT = bindparam("product_id", type_=Uuid)


def _of_user(table: Any) -> Any:
    """The user's rows of one product, or of all."""
    return and_(col(table.user_id) == user(), or_(_PRODUCT.is_(None), col(table.product_id) == _PRODUCT))


def _unions(where: Any) -> Any:
    ended = select(col(_S.product_id), col(_S.start_time), col(_S.end_time))
    return unions(ended.where(where, col(_S.end_time) > col(_S.start_time)).subquery("ended"), "product_id")


_unions_now = _unions(_of_user(_S))
_kept = select(col(_I.product_id), col(_I.start_time), col(_I.end_time)).where(_of_user(_I)).subquery("kept")
_stretches = union_all(
    select(*_unions_now.c, literal(1, Integer).label("found")), select(*_kept.c, literal(-1, Integer))
).subquery("stretches")
_wrong = (
    select(_stretches.c.product_id)
    .group_by(_stretches.c.product_id, _stretches.c.start_time, _stretches.c.end_time)
    .having(func.sum(_stretches.c.found) != 0)
    .subquery("wrong")
)

_SUMS = (
    "stored_played_seconds",
    "stored_corrected_seconds",
    "stored_session_count",
    "stored_intervals",
    "counted_played_seconds",
    "counted_corrected_seconds",
    "counted_session_count",
    "counted_intervals",
    "wrong_intervals",
)
_LATEST = ("stored_last_played_at", "counted_last_played_at")
_NOTHING = dict.fromkeys(_SUMS, literal(0, BigInteger)) | dict.fromkeys(_LATEST, cast(null(), TIME))


def _part(product_id: Any, **known: Any) -> Any:
    """Rows of one source of figures, by product; zero or null for the figures that it does not know."""
    figures = {name: known.get(name, nothing) for name, nothing in _NOTHING.items()}
    return select(product_id.label("product_id"), *(column.label(name) for name, column in figures.items()))


_parts = union_all(
    _part(
        col(_T.product_id),
        stored_played_seconds=col(_T.played_seconds),
        stored_corrected_seconds=col(_T.corrected_seconds),
        stored_session_count=cast(col(_T.session_count), BigInteger),
        stored_last_played_at=col(_T.last_played_at),
    ).where(_of_user(_T)),
    _part(
        col(_S.product_id),
        counted_session_count=func.count(col(_S.end_time)),
        counted_last_played_at=func.max(func.coalesce(col(_S.end_time), col(_S.start_time))),
    )
    .where(_of_user(_S))
    .group_by(col(_S.product_id)),
    _part(col(_C.product_id), counted_corrected_seconds=whole(col(_C.seconds)))
    .where(_of_user(_C))
    .group_by(col(_C.product_id)),
    _part(
        _unions_now.c.product_id,
        counted_played_seconds=whole(seconds(_unions_now.c.start_time, _unions_now.c.end_time)),
        counted_intervals=func.count(),
    ).group_by(_unions_now.c.product_id),
    _part(_kept.c.product_id, stored_intervals=func.count()).group_by(_kept.c.product_id),
    _part(_wrong.c.product_id, wrong_intervals=func.count()).group_by(_wrong.c.product_id),
).subquery("parts")
_figures = {name: whole(_parts.c[name]) for name in _SUMS} | {name: func.max(_parts.c[name]) for name in _LATEST}
_DISCREPANCIES = Statement(
    select(_parts.c.product_id, *(figure.label(name) for name, figure in _figures.items()))
    .group_by(_parts.c.product_id)
    .having(
        or_(
            _figures["wrong_intervals"] != 0,
            *(
                _figures[f"stored_{name}"].is_distinct_from(_figures[f"counted_{name}"])
                for name in ("played_seconds", "corrected_seconds", "session_count", "last_played_at")
            ),
        )
    )
    .order_by(_parts.c.product_id)
)

_STORED = RowReader(Figures, _DISCREPANCIES, prefix="stored_")
_COUNTED = RowReader(Figures, _DISCREPANCIES, prefix="counted_")
_DISCREPANCY = RowReader(TotalDiscrepancy, _DISCREPANCIES, others=(_STORED, _COUNTED), given=("stored", "counted"))

# All intervals of a union that differs are replaced. Comparing them would join two lists of unknown lengths: with old
# statistics the planner reads one of them for each row of the other.
_of_products = (col(_I.user_id) == user(), col(_I.product_id) == any_(array("product_ids", Uuid)))
_DELETE_UNIONS = Statement(delete(PlaytimeInterval).where(*_of_products))
_unions_of = _unions(and_(col(_S.user_id) == user(), col(_S.product_id) == any_(array("product_ids", Uuid))))
_INSERT_UNIONS = Statement(
    insert(PlaytimeInterval).from_select(
        ["user_id", "product_id", "start_time", "end_time"], select(user(), *_unions_of.c), include_defaults=False
    )
)
_counted = rows(
    "counted",
    product_id=("product_ids", Uuid),
    played_seconds=("seconds", BigInteger),
    corrected_seconds=("corrections", BigInteger),
    session_count=("counts", Integer),
    last_played_at=("last_played", TIME),
)
_insert_counted = insert(PlaytimeTotal).from_select(
    ["user_id", *(column.name for column in _counted.c)], select(user(), *_counted.c), include_defaults=False
)
_REPLACE_TOTALS = Statement(
    _insert_counted.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={
            name: _insert_counted.excluded[name]
            for name in ("played_seconds", "corrected_seconds", "session_count", "last_played_at")
        },
    )
)


class RecomputeStore:
    """Recomputes a user's totals, over one connection inside a transaction that has serialised the user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def discrepancies(self, user_id: UUID, product_id: UUID | None) -> list[TotalDiscrepancy]:
        """The products whose stored figures differ from their ledger: of one product, or of all. One statement."""
        rows = await _DISCREPANCIES.all(self._connection, user_id=user_id, product_id=product_id)
        return [_DISCREPANCY.read(row, stored=_STORED.read(row), counted=_COUNTED.read(row)) for row in rows]

    async def replace(self, user_id: UUID, wrong: Sequence[TotalDiscrepancy]) -> None:
        """Writes the counted figures of these products, and the unions that differ. At most three statements."""
        product_ids = [one.product_id for one in wrong]
        if of_unions := [one.product_id for one in wrong if one.wrong_intervals]:
            await _DELETE_UNIONS.run(self._connection, user_id=user_id, product_ids=of_unions)
            await _INSERT_UNIONS.run(self._connection, user_id=user_id, product_ids=of_unions)
        await _REPLACE_TOTALS.run(
            self._connection,
            user_id=user_id,
            product_ids=product_ids,
            seconds=[one.counted.played_seconds for one in wrong],
            corrections=[one.counted.corrected_seconds for one in wrong],
            counts=[one.counted.session_count for one in wrong],
            last_played=[one.counted.last_played_at for one in wrong],
        )
