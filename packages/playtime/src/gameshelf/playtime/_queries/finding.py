"""Finds sessions of all users by an id, or by the beginning of one, for support."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.playtime._models import PlaytimeSession
from sqlalchemy import Integer, Uuid, bindparam, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that was found."""

    id: UUID
    user_id: UUID
    product_id: UUID
    device_id: str
    start_time: datetime
    end_time: datetime | None


_S = PlaytimeSession
_LOW, _HIGH = bindparam("low_id", type_=Uuid), bindparam("high_id", type_=Uuid)
_id = func.uuid_send(col(_S.id))
"""As its index has it, which no statement of a user's path may use."""
_SESSIONS = Statement(
    select(
        col(_S.id),
        col(_S.user_id),
        col(_S.product_id),
        col(_S.device_id),
        col(_S.start_time),
        col(_S.end_time),
    )
    .where(_id.between(func.uuid_send(_LOW), func.uuid_send(_HIGH)))
    .order_by(_id)
    .limit(bindparam("limit", type_=Integer))
)
_SESSION = RowReader(FoundSession, _SESSIONS)


async def found_sessions(connection: Connection, low: UUID, high: UUID, limit: int) -> Sequence[FoundSession]:
    """Returns the sessions with an id from ``low`` to ``high``, of any user. One round trip, on the index of ids."""
    return _SESSION.read_all(await _SESSIONS.all(connection, low_id=low, high_id=high, limit=limit))
