"""Reads of who plays, or has played, a copy: over the rows of several users at once.

An answer stays true as long as the caller has locked the copy.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime._models import PlaytimeCopyPart, PlaytimeSession
from gameshelf.playtime._rules import Interval
from sqlalchemy import Uuid, and_, any_, bindparam, func, or_, select, union_all
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
_copies = rows("copies", owner_id=("owner_ids", Uuid), product_id=("product_ids", Uuid))
_overlaps = and_(_COPY_SINCE < _UNTIL, or_(col(_S.end_time).is_(None), col(_S.end_time) > _SINCE))
_played = (
    _copies.c.owner_id,
    _copies.c.product_id,
    _COPY_SINCE.label("start_time"),
    func.coalesce(col(_S.end_time), _UNTIL).label("end_time"),
)
_by_owners = (
    select(*_played)
    .select_from(_copies)
    .join(PlaytimeSession, and_(col(_S.user_id) == _copies.c.owner_id, col(_S.product_id) == _copies.c.product_id))
    .where(_overlaps, col(_S.copy_owner_user_id).is_(None))
)
_by_members = (
    select(*_played)
    .select_from(_copies)
    .join(
        PlaytimeSession,
        and_(col(_S.copy_owner_user_id) == _copies.c.owner_id, col(_S.product_id) == _copies.c.product_id),
    )
    .where(_overlaps, col(_S.user_id) != user())
)
_part_overlaps = and_(col(_P.start_time) < _UNTIL, col(_P.end_time) > _SINCE)
_part_played = (_copies.c.owner_id, _copies.c.product_id, col(_P.start_time), col(_P.end_time))
_parts_by_owners = (
    select(*_part_played)
    .select_from(_copies)
    .join(PlaytimeCopyPart, and_(col(_P.user_id) == _copies.c.owner_id, col(_P.product_id) == _copies.c.product_id))
    .where(_part_overlaps, col(_P.copy_owner_user_id).is_(None))
)
_parts_by_members = (
    select(*_part_played)
    .select_from(_copies)
    .join(
        PlaytimeCopyPart,
        and_(col(_P.copy_owner_user_id) == _copies.c.owner_id, col(_P.product_id) == _copies.c.product_id),
    )
    .where(_part_overlaps, col(_P.user_id) != user())
)
_PLAYED_BY_OTHERS = Statement(union_all(_by_owners, _by_members, _parts_by_owners, _parts_by_members))


class CopyQueries:
    """Reads of copies over one connection. Each method is one round trip."""

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

    async def played_by_others(
        self, user_id: UUID, copies: Collection[tuple[UUID, UUID]], within: Interval
    ) -> dict[tuple[UUID, UUID], list[Interval]]:
        """When others played these copies (owner, product), as far as it touches a stretch of time.

        A session that runs counts up to the end of the stretch.
        """
        found: dict[tuple[UUID, UUID], list[Interval]] = defaultdict(list)
        for row in await _PLAYED_BY_OTHERS.all(
            self._connection,
            user_id=user_id,
            owner_ids=[owner_id for owner_id, _ in copies],
            product_ids=[product_id for _, product_id in copies],
            since=within.start,
            until=within.end,
        ):
            found[row["owner_id"], row["product_id"]].append(Interval(row["start_time"], row["end_time"]))
        return found
