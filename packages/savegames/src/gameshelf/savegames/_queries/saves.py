"""Reads of a user's saves. Nothing here decides."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._commands import ConflictsFilter, SavesFilter
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import OF_SLOT, SLOT, VERSION, C, M, S, one_version
from gameshelf.savegames._store.usage import ProductUsage, UsageStore, UsedStorage
from gameshelf.savegames._views import (
    ConflictReader,
    OpenConflict,
    SaveVersion,
    VersionStatus,
    conflict_sides,
    open_branches,
    version_columns,
)
from sqlalchemy import BigInteger, Boolean, Integer, Uuid, and_, bindparam, cast, func, or_, select, true
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class Downloadable:
    """A version whose bytes are stored, and the key of their object."""

    version: SaveVersion
    key: str


_X = SavegameConflict
_LIMIT, _OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=BigInteger)
_OF_PRODUCT = bindparam("of_product", type_=Uuid)
_TOTAL = func.count().over().label("total")
_is_visible = (col(S.user_id) == user(), col(S.deleted_at).is_(None))
_is_requested = (col(S.user_id) == user(), or_(bindparam("in_trash", type_=Boolean), col(S.deleted_at).is_(None)))
_head = one_version(col(S.id), col(S.head_version), "head")
_heads = (
    select(*version_columns(_head.c), _TOTAL)
    .select_from(S)
    .join(_head, true())
    .where(
        col(S.user_id) == user(),
        col(S.deleted_at).is_not(None) == bindparam("trashed", type_=Boolean),
        or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT),
    )
)
_SAVES = Statement(_heads.order_by(_head.c.server_uploaded_at.desc(), col(S.id)).limit(_LIMIT).offset(_OFFSET))
_COUNT_SAVES = Statement(select(func.count().label("n")).select_from(_heads.subquery()))
_HEAD = Statement(
    select(*version_columns(_head.c)).select_from(S).join(_head, true()).where(*_is_visible, col(S.id) == SLOT)
)
_branches = open_branches()
_one = one_version(SLOT, VERSION, "one")
_VERSION = Statement(
    select(*version_columns(_one.c, _branches))
    .select_from(S)
    .join(_one, true())
    .where(col(S.user_id) == user(), col(S.id) == SLOT)
)
# Found once: in a plain join the planner would look for it again for each version.
_slot = select(S).where(*_is_requested, col(S.id) == SLOT).cte("slot").prefix_with("MATERIALIZED")
_versions = (
    select(*version_columns(M, _branches, _slot.c), _TOTAL)
    .select_from(M)
    .join(_slot, _slot.c.id == col(M.slot_id))
    .where(*OF_SLOT)
)
_VERSIONS = Statement(_versions.order_by(col(M.version).desc()).limit(_LIMIT).offset(_OFFSET))
_COUNT_VERSIONS = Statement(select(func.count().label("n")).select_from(_versions.subquery()))
_chosen = one_version(col(S.id), func.coalesce(bindparam("version", type_=BigInteger), col(S.head_version)), "chosen")
_DOWNLOAD = Statement(
    select(*version_columns(_chosen.c, _branches), col(C.s3_object_key))
    .select_from(S)
    .join(_chosen, true())
    .join(C, and_(col(C.user_id) == user(), col(C.id) == _chosen.c.content_id))
    .where(*_is_requested, col(S.id) == SLOT)
)
_SAVE_VERSION = RowReader(
    SaveVersion,
    *(_HEAD, _VERSION, _SAVES, _VERSIONS, _DOWNLOAD),
    others=("total", "s3_object_key"),
    convert={"status": VersionStatus},
)
_sides = conflict_sides().where(*_is_visible, col(_X.resolved_at).is_(None))
_conflicts = _sides.where(or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT))
_CONFLICTS = Statement(
    _conflicts.add_columns(_TOTAL).order_by(col(_X.opened_at), col(_X.id)).limit(_LIMIT).offset(_OFFSET)
)
_COUNT_CONFLICTS = Statement(
    select(func.count().label("n"))
    .select_from(_X)
    .join(S, and_(col(S.user_id) == col(_X.user_id), col(S.id) == col(_X.slot_id)))
    .where(
        *_is_visible,
        col(_X.resolved_at).is_(None),
        or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT),
    )
)
_CONFLICT = Statement(_sides.where(col(_X.id) == bindparam("conflict_id", type_=Uuid)))
_OPEN_CONFLICT = ConflictReader(_CONFLICTS, _CONFLICT, others=("total",))


class SavegameQueries:
    """Reads of a user's saves over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._usage = UsageStore(connection)

    async def saves(self, user_id: UUID, of: SavesFilter) -> Slice[SaveVersion]:
        """One page of the heads, the newest upload first. One round trip; a page past the end needs a second one."""
        given = {"user_id": user_id, "trashed": of.trashed, "of_product": of.product_id}
        return await self._page(_SAVES, _COUNT_SAVES, of.slice, given)

    async def save(self, user_id: UUID, slot_id: UUID) -> SaveVersion | None:
        """The head of a save; None for a save in the trash too."""
        return _SAVE_VERSION.read_optional(await _HEAD.first(self._connection, user_id=user_id, slot_id=slot_id))

    async def versions(self, user_id: UUID, slot_id: UUID, page: Page, *, in_trash: bool = False) -> Slice[SaveVersion]:
        """One page of all versions of a save, the newest first; pruned versions are included.

        ``in_trash``: also of a save in the trash.
        """
        given = {"user_id": user_id, "slot_id": slot_id, "in_trash": in_trash}
        return await self._page(_VERSIONS, _COUNT_VERSIONS, page, given)

    async def version(self, user_id: UUID, slot_id: UUID, version: int) -> SaveVersion | None:
        """One version, also of a save in the trash."""
        row = await _VERSION.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return _SAVE_VERSION.read_optional(row)

    async def download(
        self, user_id: UUID, slot_id: UUID, version: int | None, *, in_trash: bool = False
    ) -> Downloadable | None:
        """The head, or the given version, with the key of its object; None where there is no such version or object.

        ``in_trash``: also of a save in the trash.
        """
        given = {"user_id": user_id, "slot_id": slot_id, "in_trash": in_trash}
        row = await _DOWNLOAD.first(self._connection, version=version, **given)
        return Downloadable(_SAVE_VERSION.read(row), row["s3_object_key"]) if row else None

    async def conflicts(self, user_id: UUID, of: ConflictsFilter) -> Slice[OpenConflict]:
        """One page of the open conflicts, the oldest first."""
        found = await self.lookup_conflicts(user_id, of).all(self._connection)
        if found:
            return Slice([_OPEN_CONFLICT.read(row) for row in found], found[0]["total"])
        given = {"user_id": user_id, "of_product": of.product_id}
        return Slice([], await self._count(_COUNT_CONFLICTS, of.slice, given))

    @staticmethod
    def lookup_conflicts(user_id: UUID, of: ConflictsFilter) -> BoundStatement:
        """Returns what ``conflicts`` reads first."""
        page = of.slice
        return _CONFLICTS.bind(user_id=user_id, of_product=of.product_id, limit=page.limit, offset=page.offset)

    async def conflict(self, user_id: UUID, conflict_id: UUID) -> OpenConflict | None:
        """An open conflict."""
        row = await _CONFLICT.first(self._connection, user_id=user_id, conflict_id=conflict_id)
        return _OPEN_CONFLICT.read(row) if row else None

    async def usage(self, user_id: UUID) -> UsedStorage:
        """The storage that the user's saves use, and its limit."""
        return await self._usage.used_storage(user_id)

    async def usage_of_products(self, user_id: UUID) -> list[ProductUsage]:
        """The storage that the user's saves use, product by product."""
        return await self._usage.usage_of_products(user_id)

    async def _page(self, rows: Statement, count: Statement, page: Page, given: dict[str, Any]) -> Slice[SaveVersion]:
        found: list[Record] = await rows.all(self._connection, limit=page.limit, offset=page.offset, **given)
        if found:
            return Slice(_SAVE_VERSION.read_all(found), found[0]["total"])
        return Slice([], await self._count(count, page, given))

    async def _count(self, count: Statement, page: Page, given: dict[str, Any]) -> int:
        row = await count.first(self._connection, **given) if page.number > 1 else None
        return row["n"] if row else 0
