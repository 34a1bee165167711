"""The devices on which a user plays, as support sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.playtime._models import PlaytimeSession, PlaytimeSync
from sqlalchemy import Integer, bindparam, func, select
from sqlmodel import col

LOOKED_AT = 1000
"""Number of a user's sessions that are searched for devices, the newest."""


@dataclass(frozen=True, slots=True)
class PlayingDevice:
    """A device with the newest session on it."""

    device_id: str
    """Empty: the client named none."""
    platform: str | None
    product_id: UUID
    session_id: UUID
    start_time: datetime
    end_time: datetime | None
    last_heartbeat_at: datetime


_S = PlaytimeSession
_newest = (
    select(
        col(_S.device_id),
        col(_S.platform),
        col(_S.product_id),
        col(_S.id).label("session_id"),
        col(_S.start_time),
        col(_S.end_time),
        col(_S.last_heartbeat_at),
    )
    .where(col(_S.user_id) == user())
    .order_by(col(_S.start_time).desc(), col(_S.id))
    .limit(LOOKED_AT)
    .subquery("newest")
)
_of_devices = (
    select(*_newest.c)
    .distinct(_newest.c.device_id)
    .order_by(_newest.c.device_id, _newest.c.start_time.desc(), _newest.c.session_id)
    .subquery("of_devices")
)
_DEVICES = Statement(
    select(*_of_devices.c)
    .order_by(_of_devices.c.start_time.desc(), _of_devices.c.device_id)
    .limit(bindparam("limit", type_=Integer))
)
_IMPORTED = Statement(
    select(func.max(col(PlaytimeSync.synced_at)).label("synced_at")).where(col(PlaytimeSync.user_id) == user())
)
_DEVICE = RowReader(PlayingDevice, _DEVICES)


async def playing_devices(connection: Connection, user_id: UUID, limit: int) -> Sequence[PlayingDevice]:
    """Returns the devices of a user's newest sessions, the one that began last first. One round trip."""
    return _DEVICE.read_all(await _DEVICES.all(connection, user_id=user_id, limit=limit))


async def last_import(connection: Connection, user_id: UUID) -> datetime | None:
    """Returns when a device of the user last imported sessions that it had played offline. One round trip."""
    row = await _IMPORTED.first(connection, user_id=user_id)
    found: datetime | None = row["synced_at"] if row else None
    return found
