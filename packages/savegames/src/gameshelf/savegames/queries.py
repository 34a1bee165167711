"""Reading saves: plain SQL to plain values. Nothing here decides."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.sql import user
from gameshelf.savegames.commands import ConflictsFilter, SavesFilter
from gameshelf.savegames.models import SavegameConflict
from gameshelf.savegames.store.expressions import SLOT, VERSION, C, M, S
from gameshelf.savegames.store.usage import ProductUsage, Usage, UsageStore
from gameshelf.savegames.views import (
    WIDTH,
    OpenConflict,
    SaveVersion,
    as_conflict,
    as_version,
    columns,
    of_branches,
    of_slot,
    sides,
)
from sqlalchemy import BigInteger, Boolean, Integer, Uuid, and_, bindparam, cast, func, or_, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class Downloadable:
    """A version whose bytes are there, and where."""

    version: SaveVersion
    key: str


_X = SavegameConflict
_LIMIT, _OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=BigInteger)
_OF_PRODUCT = bindparam("of_product", type_=Uuid)
_is_seen = (col(S.user_id) == user(), col(S.deleted_at).is_(None))
_is_looked_for = (col(S.user_id) == user(), or_(bindparam("in_trash", type_=Boolean), col(S.deleted_at).is_(None)))
_heads = (
    select(*columns(M), func.count().over())
    .select_from(S)
    .join(M, and_(of_slot(M), col(M.version) == col(S.head_version)))
    .where(
        col(S.user_id) == user(),
        col(S.deleted_at).is_not(None) == bindparam("trashed", type_=Boolean),
        or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT),
    )
)
_SAVES = Statement(_heads.order_by(col(M.server_uploaded_at).desc(), col(S.id)).limit(_LIMIT).offset(_OFFSET))
_COUNT_SAVES = Statement(select(func.count().label("n")).select_from(_heads.subquery()))
_one = select(*columns(M)).select_from(S).join(M, of_slot(M)).where(*_is_seen, col(S.id) == SLOT)
_HEAD = Statement(_one.where(col(M.version) == col(S.head_version)))
_branches = of_branches()
_VERSION = Statement(
    select(*columns(M, _branches))
    .select_from(S)
    .join(M, of_slot(M))
    .where(col(S.user_id) == user(), col(S.id) == SLOT, col(M.version) == VERSION)
)
_versions = (
    select(*columns(M, _branches), func.count().over())
    .select_from(S)
    .join(M, of_slot(M))
    .where(*_is_looked_for, col(S.id) == SLOT)
)
_VERSIONS = Statement(_versions.order_by(col(M.version).desc()).limit(_LIMIT).offset(_OFFSET))
_COUNT_VERSIONS = Statement(select(func.count().label("n")).select_from(_versions.subquery()))
_DOWNLOAD = Statement(
    select(*columns(M, _branches), col(C.s3_object_key))
    .select_from(S)
    .join(M, of_slot(M))
    .join(C, and_(col(C.user_id) == col(M.user_id), col(C.id) == col(M.content_id)))
    .where(
        *_is_looked_for,
        col(S.id) == SLOT,
        col(M.version) == func.coalesce(bindparam("version", type_=BigInteger), col(S.head_version)),
    )
)
_sides = sides().where(*_is_seen, col(_X.resolved_at).is_(None))
_conflicts = _sides.where(or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT))
_CONFLICTS = Statement(
    _conflicts.add_columns(func.count().over()).order_by(col(_X.opened_at), col(_X.id)).limit(_LIMIT).offset(_OFFSET)
)
_COUNT_CONFLICTS = Statement(
    select(func.count().label("n"))
    .select_from(_X)
    .join(S, and_(col(S.user_id) == col(_X.user_id), col(S.id) == col(_X.slot_id)))
    .where(
        *_is_seen,
        col(_X.resolved_at).is_(None),
        or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT),
    )
)
_CONFLICT = Statement(_sides.where(col(_X.id) == bindparam("conflict_id", type_=Uuid)))


class SavegameQueries:
    """Reads of a user's saves over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._usage = UsageStore(connection)

    async def saves(self, user_id: UUID, of: SavesFilter) -> Slice[SaveVersion]:
        """One page of the heads, the one uploaded last first. One round trip; past the end a second one counts."""
        given = {"user_id": user_id, "trashed": of.trashed, "of_product": of.product_id}
        return await self._page(_SAVES, _COUNT_SAVES, of.slice, given)

    async def save(self, user_id: UUID, slot_id: UUID) -> SaveVersion | None:
        """A save's head; None for one that is in the trash too."""
        row = await _HEAD.first(self._connection, user_id=user_id, slot_id=slot_id)
        return as_version(tuple(row.values())) if row else None

    async def versions(self, user_id: UUID, slot_id: UUID, page: Page, *, in_trash: bool = False) -> Slice[SaveVersion]:
        """One page of all versions of a save, the newest first, also those whose bytes are gone.

        ``in_trash``: of one that is in the trash too.
        """
        given = {"user_id": user_id, "slot_id": slot_id, "in_trash": in_trash}
        return await self._page(_VERSIONS, _COUNT_VERSIONS, page, given)

    async def version(self, user_id: UUID, slot_id: UUID, version: int) -> SaveVersion | None:
        """One version, of a save in the trash too."""
        row = await _VERSION.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return as_version(tuple(row.values())) if row else None

    async def download(
        self, user_id: UUID, slot_id: UUID, version: int | None, *, in_trash: bool = False
    ) -> Downloadable | None:
        """The head, or another version, and where its bytes are; None where there are none.

        ``in_trash``: of a save that is in the trash too.
        """
        given = {"user_id": user_id, "slot_id": slot_id, "in_trash": in_trash}
        row = await _DOWNLOAD.first(self._connection, version=version, **given)
        return Downloadable(as_version(tuple(row.values())[:WIDTH]), row["s3_object_key"]) if row else None

    async def conflicts(self, user_id: UUID, of: ConflictsFilter) -> Slice[OpenConflict]:
        """One page of the open conflicts, the oldest first."""
        given = {"user_id": user_id, "of_product": of.product_id}
        found = await _CONFLICTS.all(self._connection, limit=of.slice.limit, offset=of.slice.offset, **given)
        if found:
            return Slice([as_conflict(tuple(row.values())) for row in found], found[0][-1])
        return Slice([], await self._count(_COUNT_CONFLICTS, of.slice, given))

    async def conflict(self, user_id: UUID, conflict_id: UUID) -> OpenConflict | None:
        """An open conflict."""
        row = await _CONFLICT.first(self._connection, user_id=user_id, conflict_id=conflict_id)
        return as_conflict(tuple(row.values())) if row else None

    async def usage(self, user_id: UUID) -> Usage:
        """What the user's saves take, and what they may."""
        return await self._usage.usage(user_id)

    async def usage_of_products(self, user_id: UUID) -> list[ProductUsage]:
        """The same, product by product."""
        return await self._usage.of_products(user_id)

    async def _page(self, rows: Statement, count: Statement, page: Page, given: dict[str, Any]) -> Slice[SaveVersion]:
        found: list[Record] = await rows.all(self._connection, limit=page.limit, offset=page.offset, **given)
        if found:
            return Slice([as_version(tuple(row.values())[:WIDTH]) for row in found], found[0][WIDTH])
        return Slice([], await self._count(count, page, given))

    async def _count(self, count: Statement, page: Page, given: dict[str, Any]) -> int:
        row = await count.first(self._connection, **given) if page.number > 1 else None
        return row["n"] if row else 0
