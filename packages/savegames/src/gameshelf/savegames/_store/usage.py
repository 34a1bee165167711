"""The storage that a user's saves use. It is summed at each call: there is no counter that could drift."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.savegames._models import SavegameQuota
from gameshelf.savegames._store.expressions import (
    IS_FILE,
    IS_OPEN,
    C,
    H,
    M,
    S,
    U,
    awaited_contents,
    reserved_bytes,
    used_bytes,
)
from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_Q = SavegameQuota
_OF_PRODUCT = bindparam("of_product", type_=Uuid)
_OF_UPLOAD = bindparam("of_upload", type_=Uuid)
_is_meant = or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT)


@dataclass(frozen=True, slots=True)
class UsedContent:
    """A content, and the number of versions and open uploads that hold it."""

    content_id: UUID
    size: int
    count: int
    is_kept: bool
    """Whether a version holds it."""
    is_joined: bool
    """Whether the upload that was asked about holds it."""


@dataclass(frozen=True, slots=True)
class ProductUsage:
    """The storage that a product's saves use."""

    product_id: UUID
    used_bytes: int
    reserved_bytes: int


@dataclass(frozen=True, slots=True)
class UsedStorage:
    """The storage that a user's saves use. A content that two products hold counts in both, and once in the sum."""

    used_bytes: int
    reserved_bytes: int
    limit_bytes: int | None
    """The limit that support has set; None: the default one."""


_slot_of_version = and_(col(S.user_id) == col(M.user_id), col(S.id) == col(M.slot_id))
_slot_of_upload = and_(col(S.user_id) == col(U.user_id), col(S.id) == col(U.slot_id))
_NO_UPLOAD: Any = cast(null(), Uuid).label("upload_id")
_versions = (
    select(col(S.product_id), col(M.content_id), _NO_UPLOAD)
    .select_from(M)
    .join(S, _slot_of_version)
    .where(col(M.user_id) == user(), col(M.content_id).is_not(None))
)
_joiners = (
    select(col(S.product_id), col(U.content_id), col(U.id))
    .select_from(U)
    .join(S, _slot_of_upload)
    .where(col(U.user_id) == user(), col(U.content_id).is_not(None))
)
_of_versions_sets = (
    select(col(S.product_id), col(H.content_id), _NO_UPLOAD)
    .select_from(M)
    .join(S, _slot_of_version)
    .join(H, and_(col(H.user_id) == col(M.user_id), col(H.manifest_id) == col(M.manifest_id)))
    .where(col(M.user_id) == user(), col(M.content_id).is_not(None), col(M.manifest_id).is_not(None))
)
_of_uploads_sets = (
    select(col(S.product_id), col(H.content_id), col(U.id))
    .select_from(U)
    .join(S, _slot_of_upload)
    .join(H, and_(col(H.user_id) == col(U.user_id), col(H.manifest_id) == col(U.manifest_id)))
    .where(col(U.user_id) == user(), IS_OPEN, col(U.manifest_id).is_not(None))
)
_holders = (_versions, _joiners, _of_versions_sets, _of_uploads_sets)
_held = union_all(*(holder.where(_is_meant) for holder in _holders)).subquery()
_counted = (
    select(
        _held.c.content_id,
        func.count().label("count"),
        func.bool_or(_held.c.upload_id.is_(None)).label("is_kept"),
        func.coalesce(func.bool_or(_held.c.upload_id == _OF_UPLOAD), literal_column("false")).label("is_joined"),
    )
    .group_by(_held.c.content_id)
    .subquery("counted")
)
# The one content of each id: a plan that was made while the tables were empty would read all that hold contents for
# each content.
_content = (
    select(col(C.file_size_bytes).label("size"), IS_FILE.label("is_file"))
    .where(col(C.user_id) == user(), col(C.id) == _counted.c.content_id)
    .limit(literal_column("1"))
    .correlate(_counted)
    .lateral("content")
)
# Lists use no storage of the user.
_USES = Statement(
    select(_counted.c.content_id, _content.c.size, _counted.c["count"], _counted.c.is_kept, _counted.c.is_joined)
    .select_from(_counted)
    .join(_content, _content.c.is_file)
)
_USED_CONTENT = RowReader(UsedContent, _USES)
_is_of_product = select(literal_column("1")).where(_slot_of_upload, col(S.product_id) == _OF_PRODUCT).exists()
_RESERVED = Statement(
    select(cast(reserved_bytes(_is_of_product, but=array("contents", LargeBinary)), BigInteger).label("bytes"))
)
_USAGE = Statement(
    select(
        cast(used_bytes(), BigInteger).label("used_bytes"),
        cast(reserved_bytes(), BigInteger).label("reserved_bytes"),
        select(col(_Q.limit_bytes)).where(col(_Q.user_id) == user()).scalar_subquery().label("limit_bytes"),
    )
)
_USED_STORAGE = RowReader(UsedStorage, _USAGE)
# Distinct: a content counts once per product, however many of its versions hold it.
_distinct = union_all(*_holders).subquery()
_contents_of_products = select(_distinct.c.product_id, _distinct.c.content_id).distinct().subquery()
_used_of_products = (
    select(
        _contents_of_products.c.product_id,
        col(C.file_size_bytes).label("used"),
        (col(C.file_size_bytes) * 0).label("reserved"),
    )
    .select_from(_contents_of_products)
    .join(C, and_(col(C.user_id) == user(), col(C.id) == _contents_of_products.c.content_id, IS_FILE))
)
_awaited = awaited_contents()
_reserved_size = func.max(_awaited.c.bytes)
_reserved_of_products: Any = (
    select(col(S.product_id), (_reserved_size * 0).label("used"), _reserved_size.label("reserved"))
    .select_from(_awaited)
    .join(S, and_(col(S.user_id) == user(), col(S.id) == _awaited.c.slot_id))
    .group_by(col(S.product_id), _awaited.c.sha256)
)
_taken = union_all(_used_of_products, _reserved_of_products).subquery()
_OF_PRODUCTS = Statement(
    select(
        _taken.c.product_id,
        cast(func.sum(_taken.c.used), BigInteger).label("used_bytes"),
        cast(func.sum(_taken.c.reserved), BigInteger).label("reserved_bytes"),
    )
    .group_by(_taken.c.product_id)
    .order_by(func.sum(_taken.c.used + _taken.c.reserved).desc(), _taken.c.product_id)
)
_PRODUCT_USAGE = RowReader(ProductUsage, _OF_PRODUCTS)
_set = insert(SavegameQuota).values(
    user_id=user(), limit_bytes=bindparam("limit_bytes", type_=BigInteger), set_at=bindparam("now", type_=TIME)
)
_SET = Statement(
    _set.on_conflict_do_update(
        index_elements=["user_id"], set_={"limit_bytes": _set.excluded.limit_bytes, "set_at": _set.excluded.set_at}
    )
)
_RESET = Statement(delete(SavegameQuota).where(col(_Q.user_id) == user()))


class UsageStore:
    """Sums of the storage that a user's saves use. Each method is one statement; reading needs no lock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def used_storage(self, user_id: UUID) -> UsedStorage:
        row = await self.lookup_used_storage(user_id).first(self._connection)
        assert row is not None
        return _USED_STORAGE.read(row)

    @staticmethod
    def lookup_used_storage(user_id: UUID) -> BoundStatement:
        """Returns what ``used_storage`` reads."""
        return _USAGE.bind(user_id=user_id)

    async def usage_of_products(self, user_id: UUID) -> list[ProductUsage]:
        """Returns the products that use storage, in descending order of it."""
        return _PRODUCT_USAGE.read_all(await _OF_PRODUCTS.all(self._connection, user_id=user_id))

    async def used_contents(
        self, user_id: UUID, product_id: UUID | None = None, upload_id: UUID | None = None
    ) -> list[UsedContent]:
        """Returns the contents that versions and open uploads of one product, or of all, hold."""
        about = {"of_product": product_id, "of_upload": upload_id}
        return _USED_CONTENT.read_all(await _USES.all(self._connection, user_id=user_id, **about))

    async def reserved_bytes(self, user_id: UUID, product_id: UUID, contents: Collection[bytes]) -> int:
        """Returns the bytes that open uploads may still add to a product, without those of some contents."""
        row = await _RESERVED.first(self._connection, user_id=user_id, of_product=product_id, contents=list(contents))
        return row["bytes"] if row else 0

    async def set_limit(self, user_id: UUID, limit_bytes: int, now: datetime) -> None:
        """Sets the user's own limit."""
        await _SET.run(self._connection, user_id=user_id, limit_bytes=limit_bytes, now=now)

    async def reset_limit(self, user_id: UUID) -> None:
        """Removes the user's own limit, so that the default one applies."""
        await _RESET.run(self._connection, user_id=user_id)
