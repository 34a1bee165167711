"""Reads of play that a device has not synchronised yet: the sessions of a product after a moment, per device."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.playtime._models import PlaytimeInterval, PlaytimeSession
from gameshelf.playtime._unions import seconds, unions, whole
from sqlalchemy import String, Uuid, and_, bindparam, func, select, true, union_all
from sqlmodel import col

MAX_RUNNING_DEVICES = 64
"""At most so many devices on which a product runs are named, those that started last."""


@dataclass(frozen=True, slots=True)
class UnsyncedPlay:
    """The play of a product on one device after a moment."""

    device_id: str
    seconds: int
    """Time that overlaps counts once; a running session counts up to its newest checkpoint."""
    running_since: datetime | None
    """The start of the session that runs; None: none does."""


_S, _I = PlaytimeSession, PlaytimeInterval
_PRODUCT = bindparam("product_id", type_=Uuid)
_of_product = and_(col(_S.user_id) == user(), col(_S.product_id) == _PRODUCT)
_running = (
    select(col(_S.device_id), col(_S.start_time), col(_S.last_heartbeat_at).label("end_time"))
    .where(_of_product, col(_S.end_time).is_(None))
    .order_by(col(_S.start_time).desc(), col(_S.device_id))
    .limit(MAX_RUNNING_DEVICES)
    .cte("running")
)
_asked = rows("asked", device_id=("device_ids", String), moment=("moments", TIME))
_wanted = (
    select(
        func.coalesce(_asked.c.device_id, _running.c.device_id).label("device_id"),
        func.coalesce(_asked.c.moment, bindparam("otherwise", type_=TIME)).label("moment"),
        _running.c.start_time.label("running_since"),
    )
    .select_from(_asked.outerjoin(_running, _running.c.device_id == _asked.c.device_id, full=True))
    .cte("wanted")
)
_oldest = select(func.min(_wanted.c.moment)).scalar_subquery()
# A session that reaches over the oldest moment lies within the stretch of play that does, so no older one is read.
_from = func.coalesce(
    select(func.max(col(_I.start_time)))
    .where(col(_I.user_id) == user(), col(_I.product_id) == _PRODUCT, col(_I.start_time) <= _oldest)
    .scalar_subquery(),
    _oldest,
)
_played = union_all(
    select(col(_S.device_id), col(_S.start_time), col(_S.end_time)).where(
        _of_product, col(_S.start_time) >= _from, col(_S.end_time).is_not(None)
    ),
    select(_running.c.device_id, _running.c.start_time, _running.c.end_time),
).subquery("played")
_after = unions(
    select(
        _played.c.device_id,
        func.greatest(_played.c.start_time, _wanted.c.moment).label("start_time"),
        _played.c.end_time,
    )
    .join_from(_played, _wanted, _wanted.c.device_id == _played.c.device_id)
    .where(_played.c.end_time > _wanted.c.moment, _played.c.end_time > _played.c.start_time)
    .subquery("after"),
    "device_id",
)
_spent = (
    select(func.coalesce(whole(seconds(_after.c.start_time, _after.c.end_time)), 0).label("seconds"))
    .where(_after.c.device_id == _wanted.c.device_id)
    .lateral("spent")
)
_UNSYNCED = Statement(
    select(_wanted.c.device_id, _spent.c.seconds, _wanted.c.running_since)
    .select_from(_wanted.join(_spent, true()))
    .order_by(_wanted.c.device_id)
)
_UNSYNCED_PLAY = RowReader(UnsyncedPlay, _UNSYNCED)


async def unsynced_play(
    connection: Connection, user_id: UUID, product_id: UUID, moments: Mapping[str, datetime], otherwise: datetime
) -> list[UnsyncedPlay]:
    """Returns the play after the moment of each device, and of the devices where the product runs."""
    found = await _UNSYNCED.all(
        connection,
        user_id=user_id,
        product_id=product_id,
        device_ids=list(moments),
        moments=list(moments.values()),
        otherwise=otherwise,
    )
    return _UNSYNCED_PLAY.read_all(found)
