"""Deletes everything that is stored about one user."""

from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import RowErasure, user
from gameshelf.playtime._models import (
    PlaytimeAnomaly,
    PlaytimeCopyPart,
    PlaytimeCorrection,
    PlaytimeInterval,
    PlaytimeSession,
    PlaytimeSync,
    PlaytimeTotal,
)
from sqlalchemy import Integer, bindparam, select, tuple_, update
from sqlmodel import col

ERASURE = RowErasure(
    (
        PlaytimeSession,
        PlaytimeCopyPart,
        PlaytimeInterval,
        PlaytimeTotal,
        PlaytimeCorrection,
        PlaytimeAnomaly,
        PlaytimeSync,
    )
)

_S, _P = PlaytimeSession, PlaytimeCopyPart
_ERASE_OWNER = Statement(
    update(PlaytimeSession)
    .values(copy_owner_user_id=None)
    .where(
        tuple_(col(_S.user_id), col(_S.id)).in_(
            select(col(_S.user_id), col(_S.id))
            .where(col(_S.copy_owner_user_id) == user(), col(_S.end_time).is_not(None))
            .limit(bindparam("limit", type_=Integer))
        )
    )
)
_ERASE_OWNER_OF_PARTS = Statement(
    update(PlaytimeCopyPart)
    .values(copy_owner_user_id=None)
    .where(
        tuple_(col(_P.user_id), col(_P.session_id), col(_P.start_time)).in_(
            select(col(_P.user_id), col(_P.session_id), col(_P.start_time))
            .where(col(_P.copy_owner_user_id) == user())
            .limit(bindparam("limit", type_=Integer))
        )
    )
)


async def erase_some(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes at most ``limit`` rows of the user in one table, or the user's id as the owner of a copy that others
    played in sessions that have ended. True while there may be more.
    """
    if await ERASURE.erase_some(connection, user_id, limit):
        return True
    if await _ERASE_OWNER.run(connection, user_id=user_id, limit=limit):
        return True
    return await _ERASE_OWNER_OF_PARTS.run(connection, user_id=user_id, limit=limit) > 0
