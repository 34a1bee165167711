"""The devices that save for a user, as support sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameDevice, SavegameSlot, SavegameUpload
from sqlalchemy import Integer, and_, bindparam, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class SavingDevice:
    """A device that has uploaded or reported versions of a user's saves."""

    device_id: str
    device_name: str | None
    """The name in its newest upload that is remembered; None if there is none."""
    saves: int
    """Number of saves, without those in the trash."""
    behind: int
    """Number of these of which there is a newer version."""
    synced_at: datetime
    """When it last uploaded or reported a version."""


_D, _S, _U = SavegameDevice, SavegameSlot, SavegameUpload
_names = (
    select(col(_U.user_id), col(_U.device_id), col(_U.device_name))
    .distinct(col(_U.device_id))
    .where(col(_U.user_id) == user(), col(_U.device_name).is_not(None))
    .order_by(col(_U.device_id), col(_U.created_at).desc())
    .subquery("names")
)
_is_kept = col(_S.deleted_at).is_(None)
_synced_at = func.max(col(_D.synced_at)).label("synced_at")
_DEVICES = Statement(
    select(
        col(_D.device_id),
        func.max(_names.c.device_name).label("device_name"),
        func.count().filter(_is_kept).label("saves"),
        func.count().filter(_is_kept, col(_S.head_version) > col(_D.version)).label("behind"),
        _synced_at,
    )
    .join(_S, and_(col(_S.user_id) == col(_D.user_id), col(_S.id) == col(_D.slot_id)))
    .outerjoin(_names, and_(_names.c.user_id == col(_D.user_id), _names.c.device_id == col(_D.device_id)))
    .where(col(_D.user_id) == user())
    .group_by(col(_D.device_id))
    .order_by(_synced_at.desc(), col(_D.device_id))
    .limit(bindparam("limit", type_=Integer))
)
_DEVICE = RowReader(SavingDevice, _DEVICES)


async def saving_devices(connection: Connection, user_id: UUID, limit: int) -> Sequence[SavingDevice]:
    """Returns the devices that save for a user, the one that synced last first. One round trip."""
    return _DEVICE.read_all(await _DEVICES.all(connection, user_id=user_id, limit=limit))
