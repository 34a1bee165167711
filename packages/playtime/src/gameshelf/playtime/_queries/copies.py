"""Reads of who plays, or has played, a copy: of one player at a time, who may be on a shard of their own.

An answer stays true as long as the caller has locked the copy.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.playtime._models import PlaytimeCopyPart, PlaytimeSession
from gameshelf.playtime._rules import Interval
from sqlalchemy import Uuid, any_, bindparam, func, or_, select, union_all
from sqlmodel import col

_S, _P = PlaytimeSession, PlaytimeCopyPart
_COPY_SINCE = func.coalesce(col(_S.copy_since), col(_S.start_time))

_PLAYED_SINCE = Statement(
    select(func.min(_COPY_SINCE).label("since")).where(
        col(_S.user_id) == user(),
        col(_S.product_id) == bindparam("product_id", type_=Uuid),
        col(_S.end_time).is_(None),
        col(_S.copy_owner_user_id).is_(None),
    )
)
_RUNNING = Statement(
    select(col(_S.id)).where(
        col(_S.user_id) == user(),
        col(_S.id) == any_(array("session_ids", Uuid)),
        col(_S.end_time).is_(None),
        col(_S.copy_owner_user_id).is_not(None),
    )
)
_SINCE, _UNTIL = bindparam("since", type_=TIME), bindparam("until", type_=TIME)
_products, _owners = array("product_ids", Uuid), array("owner_ids", Uuid)


def _of_copies(table: Any) -> Any:
    """Selects what the user has played of the owners' copies; the copies of an owner who plays are their own."""
    owner = func.coalesce(col(table.copy_owner_user_id), col(table.user_id))
    of_user = select(owner.label("owner_id"), col(table.product_id))
    return of_user.where(col(table.user_id) == user(), col(table.product_id) == any_(_products), owner == any_(_owners))


_sessions = (
    _of_copies(_S)
    .add_columns(_COPY_SINCE.label("start_time"), func.coalesce(col(_S.end_time), _UNTIL).label("end_time"))
    .where(_COPY_SINCE < _UNTIL, or_(col(_S.end_time).is_(None), col(_S.end_time) > _SINCE))
)
_parts = (
    _of_copies(_P)
    .add_columns(col(_P.start_time), col(_P.end_time))
    .where(col(_P.start_time) < _UNTIL, col(_P.end_time) > _SINCE)
)
_PLAYED = Statement(union_all(_sessions, _parts))


class CopyQueries:
    """Reads of copies over one connection. Each method is one round trip, unless it says otherwise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def own_copy_played_since(self, user_id: UUID, product_id: UUID) -> datetime | None:
        """Since when a user plays their own copy of a product; None while they do not."""
        row = await _PLAYED_SINCE.first(self._connection, user_id=user_id, product_id=product_id)
        return row["since"] if row else None

    async def running(self, user_id: UUID, session_ids: Collection[UUID]) -> set[UUID]:
        """Those of a user's sessions that run and play another user's copy."""
        found = await _RUNNING.all(self._connection, user_id=user_id, session_ids=list(session_ids))
        return {row["id"] for row in found}

    async def played_by(
        self, player_ids: Collection[UUID], copies: Collection[tuple[UUID, UUID]], within: Interval
    ) -> dict[tuple[UUID, UUID], list[Interval]]:
        """When these users played these copies (owner, product), as far as it touches a stretch of time: one round trip
        for each user.

        A session that runs counts up to the end of the stretch.
        """
        played: dict[tuple[UUID, UUID], list[Interval]] = {copy: [] for copy in copies}
        asked = {
            "owner_ids": sorted({owner_id for owner_id, _ in copies}),
            "product_ids": sorted({product_id for _, product_id in copies}),
        }
        for player_id in sorted(player_ids):
            for row in await _PLAYED.all(
                self._connection, user_id=player_id, since=within.start, until=within.end, **asked
            ):
                copy = row["owner_id"], row["product_id"]
                if copy in played:
                    played[copy].append(Interval(row["start_time"], row["end_time"]))
        return played
