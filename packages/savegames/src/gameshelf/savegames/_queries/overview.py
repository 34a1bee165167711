"""Numbers of a user's saves."""

from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import S
from sqlalchemy import and_, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class SavegameOverview:
    """How many saves a user has."""

    saves: int
    saves_in_trash: int
    open_conflicts: int
    """Of saves that are not in the trash."""


_X = SavegameConflict
_conflicts = (
    select(func.count())
    .select_from(_X)
    .join(S, and_(col(S.user_id) == col(_X.user_id), col(S.id) == col(_X.slot_id)))
    .where(col(_X.user_id) == user(), col(_X.resolved_at).is_(None), col(S.deleted_at).is_(None))
)
_OVERVIEW = Statement(
    select(
        func.count().filter(col(S.deleted_at).is_(None)).label("saves"),
        func.count().filter(col(S.deleted_at).is_not(None)).label("saves_in_trash"),
        _conflicts.correlate(None).scalar_subquery().label("open_conflicts"),
    )
    .select_from(S)
    .where(col(S.user_id) == user(), col(S.head_version).is_not(None))
)
_NUMBERS = RowReader(SavegameOverview, _OVERVIEW)


async def savegame_overview(connection: Connection, user_id: UUID) -> SavegameOverview:
    """Counts a user's saves and conflicts. One round trip."""
    row = await _OVERVIEW.first(connection, user_id=user_id)
    assert row is not None
    return _NUMBERS.read(row)
