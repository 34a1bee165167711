"""Reads of saves for support: saves in the trash, conflicts of all users, and conflicts that have ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import OF_SLOT, PRODUCT, SLOT, M, S, one_version
from gameshelf.savegames._views import (
    ConflictReader,
    OpenConflict,
    SaveVersion,
    VersionStatus,
    conflict_sides,
    version_columns,
)
from sqlalchemy import Integer, LargeBinary, Uuid, and_, any_, bindparam, cast, or_, select, true, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

MAX_COPIES = 20
"""At most so many saves that hold the same bytes are named."""

_X = SavegameConflict
_LIMIT = bindparam("limit", type_=Integer)
_OF_PRODUCT = bindparam("of_product", type_=Uuid)
_IS_OPEN = col(_X.resolved_at).is_(None)


@dataclass(frozen=True, slots=True)
class UserConflict:
    """A conflict and the user whose conflict it is."""

    user_id: UUID
    conflict: OpenConflict


@dataclass(frozen=True, slots=True)
class ConflictPlace:
    """The place of a conflict in the list of all conflicts, which is sorted by age, the oldest first."""

    opened_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class ConflictState:
    """A conflict that is open or has ended; ``resolution`` is None while it is open."""

    slot_id: UUID
    branch_version: int
    resolution: str | None


_head = one_version(col(S.id), col(S.head_version), "head")
_HEAD = Statement(
    select(*version_columns(_head.c))
    .select_from(S)
    .join(_head, true())
    .where(col(S.user_id) == user(), col(S.id) == SLOT)
)
_SAVE_VERSION = RowReader(SaveVersion, _HEAD, convert={"status": VersionStatus})
_KEPT = Statement(select(col(M.version)).where(*OF_SLOT, col(M.content_id).is_not(None)).order_by(col(M.version)))
_COPIES = Statement(
    select(col(S.slot_name))
    .select_from(S)
    .join(_head, true())
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        col(S.deleted_at).is_(None),
        col(S.id) != SLOT,
        _head.c.file_hash_sha256 == bindparam("content", type_=LargeBinary),
    )
    .order_by(col(S.slot_name))
    .limit(_LIMIT)
)
_CONFLICTING = Statement(
    select(col(_X.slot_id))
    .where(col(_X.user_id) == user(), col(_X.slot_id) == any_(array("slot_ids", Uuid)), _IS_OPEN)
    .distinct()
)
_CONFLICT = Statement(
    select(col(_X.slot_id), col(_X.branch_version), col(_X.resolution)).where(
        col(_X.user_id) == user(), col(_X.id) == bindparam("conflict_id", type_=Uuid)
    )
)
_CONFLICT_STATE = RowReader(ConflictState, _CONFLICT)
_place = tuple_(bindparam("opened_after", type_=TIME), bindparam("after_id", type_=Uuid))


def _page(of: Any, user_id: Any, *columns: Any) -> Any:
    """A page of the conflicts. Their slots are looked up one by one, which costs less than a join with all slots."""
    is_requested = (
        select(
            and_(col(S.deleted_at).is_(None), or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT))
        )
        .where(col(S.user_id) == user_id, col(S.id) == col(of.slot_id))
        .scalar_subquery()
    )
    found = select(*columns).where(
        col(of.resolved_at).is_(None), tuple_(col(of.opened_at), col(of.id)) > _place, is_requested
    )
    return found.order_by(col(of.opened_at), col(of.id)).limit(_LIMIT)


# Materialized: else PostgreSQL would walk through the conflicts of all users, in their order, to find those of one.
_own = aliased(_X, select(_X).where(col(_X.user_id) == user(), _IS_OPEN).cte("own").prefix_with("MATERIALIZED"))
_own_page = aliased(_X, _page(_own, user(), _own).subquery("page"))
_OF_USER = Statement(
    conflict_sides(_own_page).where(col(S.user_id) == user()).order_by(col(_own_page.opened_at), col(_own_page.id))
)
# Their sides are read user by user, since they are on the shards of their users.
_OF_ALL = Statement(_page(_X, col(_X.user_id), col(_X.user_id), col(_X.id)))
_SIDES = Statement(
    conflict_sides().where(col(_X.user_id) == user(), col(_X.id) == any_(array("conflict_ids", Uuid)), _IS_OPEN)
)
_OPEN_CONFLICT = ConflictReader(_OF_USER, _SIDES)
_BEGINNING = ConflictPlace(datetime.fromisoformat("0001-01-02T00:00:00+00:00"), UUID(int=0))


class SavegameSupport:
    """Reads for support, over one connection, which needs no transaction. Each method is one statement, but for
    ``conflicts`` of all users, which is one more for each user of the page.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def head(self, user_id: UUID, slot_id: UUID) -> SaveVersion | None:
        """The head of a save, also of a save in the trash."""
        return _SAVE_VERSION.read_optional(await _HEAD.first(self._connection, user_id=user_id, slot_id=slot_id))

    async def kept(self, user_id: UUID, slot_id: UUID) -> list[int]:
        """The versions of a save whose bytes are stored, the oldest first: only a few, however long its history is."""
        return [row["version"] for row in await _KEPT.all(self._connection, user_id=user_id, slot_id=slot_id)]

    async def copies(self, of: SaveVersion, user_id: UUID) -> list[str]:
        """At most ``MAX_COPIES`` names of other saves of the product whose heads hold the bytes of a version."""
        rows = await _COPIES.all(
            self._connection,
            user_id=user_id,
            product_id=of.product_id,
            slot_id=of.slot_id,
            content=of.content,
            limit=MAX_COPIES,
        )
        return [row["slot_name"] for row in rows]

    async def conflicting(self, user_id: UUID, slot_ids: Collection[UUID]) -> set[UUID]:
        """The saves of these that have an open conflict."""
        rows = await _CONFLICTING.all(self._connection, user_id=user_id, slot_ids=list(slot_ids))
        return {row["slot_id"] for row in rows}

    async def conflict(self, user_id: UUID, conflict_id: UUID) -> ConflictState | None:
        """A conflict, also one that has ended."""
        row = await _CONFLICT.first(self._connection, user_id=user_id, conflict_id=conflict_id)
        return _CONFLICT_STATE.read_optional(row)

    async def conflicts(
        self, user_id: UUID | None, product_id: UUID | None, after: ConflictPlace | None, limit: int
    ) -> Sequence[UserConflict]:
        """Open conflicts after a place, the oldest first; of one user or of all, of one product or of all."""
        place = after or _BEGINNING
        asked = {
            "of_product": product_id,
            "opened_after": place.opened_at,
            "after_id": place.id,
            "limit": limit,
        }
        if user_id:
            rows = await _OF_USER.all(self._connection, user_id=user_id, **asked)
            return [UserConflict(user_id, _OPEN_CONFLICT.read(row)) for row in rows]
        return await self._with_sides(await _OF_ALL.all(self._connection, **asked))

    async def _with_sides(self, page: Sequence[Record]) -> list[UserConflict]:
        """Those of the conflicts that are still open, in the order of the page."""
        conflicts: dict[UUID, list[UUID]] = {}
        for row in page:
            conflicts.setdefault(row["user_id"], []).append(row["id"])
        sides: dict[UUID, OpenConflict] = {}
        for user_id, ids in conflicts.items():
            for row in await _SIDES.all(self._connection, user_id=user_id, conflict_ids=ids):
                sides[row["id"]] = _OPEN_CONFLICT.read(row)
        return [UserConflict(row["user_id"], sides[row["id"]]) for row in page if row["id"] in sides]
