"""Cloud saves' part of ``find``: saves, uploads and conflicts."""

from collections.abc import Sequence

from gameshelf.gateway.runtime.support.finding import FoundThing, Sought
from gameshelf.kernel.database import Connection
from gameshelf.savegames import FoundConflict, FoundSave, FoundUpload, SavegameFinding


async def find_in_saves(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
    """Finds saves, uploads and conflicts by id. Three round trips at most."""
    finding, ids = SavegameFinding(connection), sought.ids
    if ids is None:
        return []
    saves = await finding.saves(ids.low, ids.high, limit)
    uploads = await finding.uploads(ids.low, ids.high, limit)
    conflicts = await finding.conflicts(ids.low, ids.high, limit)
    return [*map(_save, saves), *map(_upload, uploads), *map(_conflict, conflicts)]


def _save(of: FoundSave) -> FoundThing:
    # Without a head nothing was ever committed: its first upload is still open, or was given up.
    state = "in_trash" if of.deleted_at else "empty" if of.head_version is None else ""
    return FoundThing(
        kind="save",
        id=str(of.id),
        user_id=of.user_id,
        product_id=of.product_id,
        name=of.slot_name,
        state=state,
        created_at=of.created_at,
    )


def _upload(of: FoundUpload) -> FoundThing:
    return FoundThing(
        kind="upload",
        id=str(of.id),
        user_id=of.user_id,
        product_id=of.product_id,
        parent_id=of.slot_id,
        name=of.slot_name,
        state="open" if of.is_open else "ended",
        created_at=of.created_at,
    )


def _conflict(of: FoundConflict) -> FoundThing:
    return FoundThing(
        kind="conflict",
        id=str(of.id),
        user_id=of.user_id,
        product_id=of.product_id,
        parent_id=of.slot_id,
        name=of.slot_name,
        state="open" if of.resolution is None else "resolved",
        created_at=of.opened_at,
    )
