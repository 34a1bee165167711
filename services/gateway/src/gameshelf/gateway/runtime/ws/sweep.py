"""Reads the newest event numbers of many users in one statement."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.tables import UserStream
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlmodel import col

_STREAMS = Statement(
    select(
        col(UserStream.user_id), col(UserStream.last_sequence), col(UserStream.erased_at).is_not(None).label("erased")
    ).where(col(UserStream.user_id) == any_(bindparam("user_ids", type_=ARRAY(Uuid))))
)


async def streams_of(connection: Connection, user_ids: Sequence[UUID]) -> dict[UUID, tuple[int, bool]]:
    """Returns the number of the newest event and whether an erasure runs, for each user that has a row."""
    rows = await _STREAMS.all(connection, user_ids=list(user_ids))
    return {row["user_id"]: (row["last_sequence"], row["erased"]) for row in rows}
