"""What happened to a user's saves, for the timeline of support."""

from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameConflict, SavegameMetadata, SavegameSlot
from sqlalchemy import Text, and_, cast, func, select
from sqlmodel import col

_S, _M, _X = SavegameSlot, SavegameMetadata, SavegameConflict
TIMELINE = (
    Happenings(
        "save",
        select(
            col(_M.server_uploaded_at).label("at"),
            (cast(col(_M.slot_id), Text) + " " + func.lpad(cast(col(_M.version), Text), 20, "0")).label("key"),
            col(_S.product_id),
            col(_M.slot_id).label("savegame_id"),
            col(_S.slot_name),
            col(_M.version),
            col(_M.device_id),
            col(_M.file_size_bytes),
        )
        .join(SavegameSlot, and_(col(_S.user_id) == col(_M.user_id), col(_S.id) == col(_M.slot_id)))
        .where(col(_M.user_id) == user()),
    ),
    Happenings(
        "save_deleted",
        select(
            col(_S.deleted_at).label("at"),
            cast(col(_S.id), Text).label("key"),
            col(_S.product_id),
            col(_S.id).label("savegame_id"),
            col(_S.slot_name),
        ).where(col(_S.user_id) == user(), col(_S.deleted_at).is_not(None)),
    ),
    Happenings(
        "save_conflict",
        select(
            col(_X.opened_at).label("at"),
            cast(col(_X.id), Text).label("key"),
            col(_S.product_id),
            col(_X.id).label("conflict_id"),
            col(_X.slot_id).label("savegame_id"),
            col(_S.slot_name),
            col(_X.resolved_at),
            col(_X.resolution),
        )
        .join(SavegameSlot, and_(col(_S.user_id) == col(_X.user_id), col(_S.id) == col(_X.slot_id)))
        .where(col(_X.user_id) == user()),
    ),
)
"""Versions, saves in the trash, and conflicts."""
