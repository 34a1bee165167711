"""Finds saves, uploads and conflicts of all users by an id, or by the beginning of one, for support."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.savegames._models import SavegameConflict, SavegameSlot, SavegameUpload
from sqlalchemy import Integer, Uuid, and_, bindparam, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class FoundSave:
    """A save that was found."""

    id: UUID
    user_id: UUID
    product_id: UUID
    slot_name: str
    head_version: int | None
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundUpload:
    """An upload that was found, open or ended."""

    id: UUID
    user_id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    created_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A conflict that was found, open or resolved."""

    id: UUID
    user_id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    opened_at: datetime
    resolution: str | None


_S, _U, _C = SavegameSlot, SavegameUpload, SavegameConflict
_LOW, _HIGH = bindparam("low_id", type_=Uuid), bindparam("high_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)
_FIRST, _LAST = func.uuid_send(_LOW), func.uuid_send(_HIGH)
_save_id, _conflict_id = func.uuid_send(col(_S.id)), func.uuid_send(col(_C.id))
"""As their indexes have them, which no statement of a user's path may use."""
_SAVES = Statement(
    select(
        col(_S.id),
        col(_S.user_id),
        col(_S.product_id),
        col(_S.slot_name),
        col(_S.head_version),
        col(_S.created_at),
        col(_S.deleted_at),
    )
    .where(_save_id.between(_FIRST, _LAST))
    .order_by(_save_id)
    .limit(_LIMIT)
)
_UPLOADS = Statement(
    select(
        col(_U.id),
        col(_U.user_id),
        col(_U.slot_id),
        col(_S.product_id),
        col(_S.slot_name),
        col(_U.created_at),
        col(_U.outcome).is_(None).label("is_open"),
    )
    .join(_S, and_(col(_S.user_id) == col(_U.user_id), col(_S.id) == col(_U.slot_id)))
    .where(col(_U.id).between(_LOW, _HIGH))
    .order_by(col(_U.id))
    .limit(_LIMIT)
)
_CONFLICTS = Statement(
    select(
        col(_C.id),
        col(_C.user_id),
        col(_C.slot_id),
        col(_S.product_id),
        col(_S.slot_name),
        col(_C.opened_at),
        col(_C.resolution),
    )
    .join(_S, and_(col(_S.user_id) == col(_C.user_id), col(_S.id) == col(_C.slot_id)))
    .where(_conflict_id.between(_FIRST, _LAST))
    .order_by(_conflict_id)
    .limit(_LIMIT)
)
_SAVE, _UPLOAD = RowReader(FoundSave, _SAVES), RowReader(FoundUpload, _UPLOADS)
_CONFLICT = RowReader(FoundConflict, _CONFLICTS)


class SavegameFinding:
    """Looks over all users, over one connection. Each read is one round trip, on an index of ids."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def saves(self, low: UUID, high: UUID, limit: int) -> Sequence[FoundSave]:
        """Returns the saves with an id from ``low`` to ``high``, those in the trash included."""
        return _SAVE.read_all(await _SAVES.all(self._connection, low_id=low, high_id=high, limit=limit))

    async def uploads(self, low: UUID, high: UUID, limit: int) -> Sequence[FoundUpload]:
        """Returns the uploads with an id from ``low`` to ``high`` that are open or remembered."""
        return _UPLOAD.read_all(await _UPLOADS.all(self._connection, low_id=low, high_id=high, limit=limit))

    async def conflicts(self, low: UUID, high: UUID, limit: int) -> Sequence[FoundConflict]:
        """Returns the conflicts with an id from ``low`` to ``high``."""
        return _CONFLICT.read_all(await _CONFLICTS.all(self._connection, low_id=low, high_id=high, limit=limit))
