"""Imports of a product, and how much of its total is due to each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.playtime._models import EndReason, PlaytimeSession, PlaytimeTotal
from gameshelf.playtime._unions import seconds, unions, whole
from sqlalchemy import Integer, Uuid, and_, bindparam, func, not_, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class ImportedPlay:
    """Sessions of one product that a device reported at once."""

    device_id: str
    recorded_at: datetime
    sessions: int
    seconds: int
    """The sum of the lengths of its sessions."""
    first_start: datetime
    last_end: datetime
    counted_seconds: int
    """How much shorter the total would be without them: time that no other session covers."""


_S, _T = PlaytimeSession, PlaytimeTotal
_product = bindparam("product_id", type_=Uuid)
_of_product = and_(col(_S.user_id) == user(), col(_S.product_id) == _product)
_is_imported = col(_S.end_reason) == EndReason.IMPORTED.value
_imports = (
    select(
        col(_S.device_id),
        col(_S.created_at).label("recorded_at"),
        func.count().label("sessions"),
        whole(col(_S.duration_seconds)).label("seconds"),
        func.min(col(_S.start_time)).label("first_start"),
        func.max(col(_S.end_time)).label("last_end"),
    )
    .where(_of_product, _is_imported)
    .group_by(col(_S.device_id), col(_S.created_at))
    .order_by(whole(col(_S.duration_seconds)).desc(), col(_S.created_at).desc(), col(_S.device_id))
    .limit(bindparam("limit", type_=Integer))
    .cte("imports")
)
_is_of_it = and_(_is_imported, col(_S.device_id) == _imports.c.device_id, col(_S.created_at) == _imports.c.recorded_at)
_others = unions(
    select(_imports.c.device_id, _imports.c.recorded_at, col(_S.start_time), col(_S.end_time))
    .select_from(_imports)
    .join(PlaytimeSession, and_(_of_product, col(_S.end_time) > col(_S.start_time), not_(_is_of_it)))
    .subquery("others"),
    "device_id",
    "recorded_at",
)
_length_of_others = (
    select(whole(seconds(_others.c.start_time, _others.c.end_time)))
    .where(_others.c.device_id == _imports.c.device_id, _others.c.recorded_at == _imports.c.recorded_at)
    .scalar_subquery()
)
_played = (
    select(col(_T.played_seconds)).where(col(_T.user_id) == user(), col(_T.product_id) == _product).scalar_subquery()
)
_IMPORTS = Statement(
    select(*_imports.c, (_played - func.coalesce(_length_of_others, 0)).label("counted_seconds")).order_by(
        _imports.c.seconds.desc(), _imports.c.recorded_at.desc(), _imports.c.device_id
    )
)
_IMPORT = RowReader(ImportedPlay, _IMPORTS)


async def largest_imports(
    connection: Connection, user_id: UUID, product_id: UUID, limit: int
) -> Sequence[ImportedPlay]:
    """The longest imports of a product, the longest first. The work grows with the ledger and ``limit``."""
    rows = await _IMPORTS.all(connection, user_id=user_id, product_id=product_id, limit=limit)
    return _IMPORT.read_all(rows)
