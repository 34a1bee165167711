"""What devices told of later, told together: how much of a total is theirs. Nothing here writes or decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.playtime.models import EndReason, PlaytimeSession, PlaytimeTotal
from gameshelf.playtime.unions import seconds, unions, whole
from sqlalchemy import Integer, Uuid, and_, bindparam, func, not_, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class ImportedPlay:
    """Sessions of one product that a device told of at once."""

    device_id: str
    recorded_at: datetime
    sessions: int
    seconds: int
    """Of all its sessions, one after the other."""
    first_start: datetime
    last_end: datetime
    counted_seconds: int
    """How much shorter the total would be without them: what nothing else covers counts."""


_S, _T = PlaytimeSession, PlaytimeTotal
_product = bindparam("product_id", type_=Uuid)
_of_product = and_(col(_S.user_id) == user(), col(_S.product_id) == _product)
_is_imported = col(_S.end_reason) == EndReason.IMPORTED.value
_told = (
    select(
        col(_S.device_id),
        col(_S.created_at),
        func.count().label("sessions"),
        whole(col(_S.duration_seconds)).label("seconds"),
        func.min(col(_S.start_time)).label("first_start"),
        func.max(col(_S.end_time)).label("last_end"),
    )
    .where(_of_product, _is_imported)
    .group_by(col(_S.device_id), col(_S.created_at))
    .order_by(whole(col(_S.duration_seconds)).desc(), col(_S.created_at).desc(), col(_S.device_id))
    .limit(bindparam("limit", type_=Integer))
    .cte("told")
)
_is_of_it = and_(_is_imported, col(_S.device_id) == _told.c.device_id, col(_S.created_at) == _told.c.created_at)
_others = unions(
    select(_told.c.device_id, _told.c.created_at, col(_S.start_time), col(_S.end_time))
    .select_from(_told)
    .join(PlaytimeSession, and_(_of_product, col(_S.end_time) > col(_S.start_time), not_(_is_of_it)))
    .subquery("others"),
    "device_id",
    "created_at",
)
_left = (
    select(whole(seconds(_others.c.start_time, _others.c.end_time)))
    .where(_others.c.device_id == _told.c.device_id, _others.c.created_at == _told.c.created_at)
    .scalar_subquery()
)
_played = (
    select(col(_T.played_seconds)).where(col(_T.user_id) == user(), col(_T.product_id) == _product).scalar_subquery()
)
_IMPORTS = Statement(
    select(*_told.c, (_played - func.coalesce(_left, 0)).label("counted")).order_by(
        _told.c.seconds.desc(), _told.c.created_at.desc(), _told.c.device_id
    )
)


async def largest_imports(
    connection: Connection, user_id: UUID, product_id: UUID, limit: int
) -> Sequence[ImportedPlay]:
    """What devices told of a product at once, the most first. The work grows with ledger and ``limit``."""
    found = await _IMPORTS.all(connection, user_id=user_id, product_id=product_id, limit=limit)
    return [ImportedPlay(*row.values()) for row in found]
