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
from sqlalchemy import BigInteger, String, Uuid, and_, bindparam, func, literal_column, null, select, union_all
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
# Nothing is joined by device: the planner does not know how many devices are asked, and would read the one list for
# each row of the other. What belongs to one device meets in a group, or in a partition of a window.
_named = union_all(
    select(_asked.c.device_id, _asked.c.moment, null().label("running_since")),
    select(_running.c.device_id, null(), _running.c.start_time),
).subquery("named")
_wanted = (
    select(
        _named.c.device_id,
        func.coalesce(func.max(_named.c.moment), bindparam("otherwise", type_=TIME)).label("moment"),
        func.max(_named.c.running_since).label("running_since"),
    )
    .group_by(_named.c.device_id)
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
    select(_wanted.c.device_id, _wanted.c.moment, null().label("start_time"), null().label("end_time")),
    select(col(_S.device_id), null(), col(_S.start_time), col(_S.end_time)).where(
        _of_product, col(_S.start_time) >= _from, col(_S.end_time).is_not(None)
    ),
    select(_running.c.device_id, null(), _running.c.start_time, _running.c.end_time),
).subquery("played")
_of_device = select(
    _played.c.device_id,
    func.max(_played.c.moment).over(partition_by=_played.c.device_id).label("moment"),
    _played.c.start_time,
    _played.c.end_time,
).subquery("of_device")
_after = unions(
    select(
        _of_device.c.device_id,
        func.greatest(_of_device.c.start_time, _of_device.c.moment).label("start_time"),
        _of_device.c.end_time,
    )
    .where(_of_device.c.end_time > _of_device.c.moment, _of_device.c.end_time > _of_device.c.start_time)
    .subquery("after"),
    "device_id",
)
_spent = union_all(
    select(_wanted.c.device_id, literal_column("0", BigInteger).label("seconds"), _wanted.c.running_since),
    select(_after.c.device_id, seconds(_after.c.start_time, _after.c.end_time), null()),
).subquery("spent")
_UNSYNCED = Statement(
    select(
        _spent.c.device_id,
        whole(_spent.c.seconds).label("seconds"),
        func.max(_spent.c.running_since).label("running_since"),
    )
    .group_by(_spent.c.device_id)
    .order_by(_spent.c.device_id)
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
