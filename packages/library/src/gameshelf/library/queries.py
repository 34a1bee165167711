"""Reading a library: plain SQL to plain values. Nothing here writes or decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Slice
from gameshelf.kernel.text import fold
from gameshelf.library.commands import ItemFilter, ItemSort, SharedFilter
from gameshelf.library.models import CatalogVersion, Category, Grant, ItemCategory, LibraryItem, Product
from sqlalchemy import ARRAY, Integer, String, Uuid, and_, any_, bindparam, column, func, literal, or_, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import Select
from sqlmodel import col

Language = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as its user sees it. Times are aware and in UTC."""

    id: UUID
    product_id: UUID
    product_type: str | None
    title: str | None
    cover_image_url: str | None
    added_at: datetime
    acquisition_type: str
    shared_from_user_id: UUID | None
    installation_status: str
    installed_version_id: str | None
    last_played_at: datetime | None
    total_playtime_seconds: int
    is_hidden: bool
    user_rating: float | None
    category_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category and how many of the visible items are in it."""

    id: UUID
    name: str
    display_order: int
    item_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a user may play a product. ``reason``: ``owned``, ``refunded`` (it was owned once) or ``not_owned``."""

    has_access: bool
    reason: str
    acquired_at: datetime | None = None
    access_type: str | None = None
    shared_from_user_id: UUID | None = None


_ITEM, _PRODUCT, _LINK, _CATEGORY, _GRANT = LibraryItem, Product, ItemCategory, Category, Grant
_HAS_ACCESS = col(_ITEM.acquisition_type).is_not(None)
_OF_USER = col(_ITEM.user_id) == bindparam("user_id", type_=Uuid)


def _title(language: Language) -> ColumnElement[str | None]:
    first, other = (
        (_PRODUCT.title_en, _PRODUCT.title_ru) if language == "en" else (_PRODUCT.title_ru, _PRODUCT.title_en)
    )
    return func.coalesce(first, other)


def _items(language: Language) -> Select[Any]:
    """Items with what the Catalog says of them; the columns are ItemView's, in its order."""
    in_categories = (
        select(col(_LINK.category_id))
        .where(col(_LINK.user_id) == col(_ITEM.user_id), col(_LINK.library_item_id) == col(_ITEM.id))
        .order_by(col(_LINK.category_id))
    )
    columns: tuple[Any, ...] = (
        col(_ITEM.id),
        col(_ITEM.product_id),
        func.coalesce(_PRODUCT.product_type, _ITEM.product_type).label("product_type"),
        _title(language).label("title"),
        col(_PRODUCT.cover_image_url),
        col(_ITEM.added_at),
        col(_ITEM.acquisition_type),
        col(_ITEM.shared_from_user_id),
        col(_ITEM.installation_status),
        col(_ITEM.installed_version_id),
        col(_ITEM.last_played_at),
        col(_ITEM.total_playtime_seconds),
        col(_ITEM.is_hidden),
        col(_ITEM.user_rating),
        func.array(in_categories.scalar_subquery(), type_=ARRAY(Uuid)).label("category_ids"),
    )
    return select(*columns).select_from(_ITEM).outerjoin(_PRODUCT, col(_PRODUCT.product_id) == col(_ITEM.product_id))


def _order(sort: ItemSort, language: Language) -> ColumnElement[Any]:
    key = col(_PRODUCT.sort_key_en if language == "en" else _PRODUCT.sort_key_ru)
    orders: dict[ItemSort, ColumnElement[Any]] = {
        ItemSort.NAME_ASC: key.asc().nulls_last(),
        ItemSort.NAME_DESC: key.desc().nulls_last(),
        ItemSort.LAST_PLAYED_DESC: col(_ITEM.last_played_at).desc().nulls_last(),
        ItemSort.ADDED_AT_DESC: col(_ITEM.added_at).desc(),
        ItemSort.PLAYTIME_DESC: col(_ITEM.total_playtime_seconds).desc(),
    }
    return orders[sort]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which parts a page's statement has. A statement is compiled once a shape; there are at most 480 of them."""

    language: Language
    sort: ItemSort
    shared: SharedFilter
    by_status: bool
    by_category: bool
    by_title: bool
    include_hidden: bool


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_OF_USER, _HAS_ACCESS]
    if not shape.include_hidden:
        conditions.append(col(_ITEM.is_hidden).is_(False))
    if shape.by_status:
        conditions.append(col(_ITEM.installation_status) == any_(bindparam("status", type_=ARRAY(String))))
    if shape.by_category:
        member = select(literal(1)).where(
            col(_LINK.user_id) == col(_ITEM.user_id),
            col(_LINK.category_id) == bindparam("category_id", type_=Uuid),
            col(_LINK.library_item_id) == col(_ITEM.id),
        )
        conditions.append(member.exists())
    if shape.by_title:
        sought = bindparam("search", type_=String)
        in_ru = func.strpos(_PRODUCT.sort_key_ru, sought) > 0
        in_en = func.strpos(_PRODUCT.sort_key_en, sought) > 0
        conditions.append(or_(in_ru, in_en))
    if shape.shared is SharedFilter.ONLY:
        conditions.append(col(_ITEM.shared_from_user_id).is_not(None))
    elif shape.shared is SharedFilter.EXCLUDE:
        conditions.append(col(_ITEM.shared_from_user_id).is_(None))
    return conditions


def _count(shape: _Shape) -> Select[int]:
    counted = select(func.count().label("total")).select_from(_ITEM).where(*_conditions(shape))
    if shape.by_title:
        counted = counted.join(_PRODUCT, col(_PRODUCT.product_id) == col(_ITEM.product_id))
    return counted


@cache
def _total(shape: _Shape) -> Statement:
    return Statement(_count(shape))


@cache
def _page(shape: _Shape) -> Statement:
    """The page's items, each beside the size of the whole: one round trip for both."""
    return Statement(
        _items(shape.language)
        .add_columns(_count(shape).correlate(None).scalar_subquery().label("total"))
        .where(*_conditions(shape))
        .order_by(_order(shape.sort, shape.language), col(_ITEM.id))
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
    )


_ONE_OF_USER: dict[Language, Statement] = {
    language: Statement(
        _items(language).where(_OF_USER, _HAS_ACCESS, col(_ITEM.id) == bindparam("item_id", type_=Uuid))
    )
    for language in ("ru", "en")
}
_OF_PRODUCTS = Statement(
    _items("ru")
    .where(_OF_USER, _HAS_ACCESS, col(_ITEM.product_id) == any_(bindparam("product_ids", type_=ARRAY(Uuid))))
    .order_by(col(_ITEM.id))
)
_ALL = Statement(_items("ru").where(_OF_USER, _HAS_ACCESS).order_by(col(_ITEM.id)))

_CATEGORIES = Statement(
    select(
        col(_CATEGORY.id),
        col(_CATEGORY.name),
        col(_CATEGORY.display_order),
        func.count(col(_ITEM.id)).label("item_count"),
        col(_CATEGORY.created_at),
        col(_CATEGORY.updated_at),
    )
    .outerjoin(_LINK, and_(col(_LINK.user_id) == col(_CATEGORY.user_id), col(_LINK.category_id) == col(_CATEGORY.id)))
    .outerjoin(
        _ITEM,
        and_(col(_ITEM.user_id) == col(_LINK.user_id), col(_ITEM.id) == col(_LINK.library_item_id), _HAS_ACCESS),
    )
    .where(
        col(_CATEGORY.user_id) == bindparam("user_id", type_=Uuid),
        or_(
            bindparam("category_id", type_=Uuid).is_(None),
            col(_CATEGORY.id) == bindparam("category_id", type_=Uuid),
        ),
    )
    .group_by(col(_CATEGORY.user_id), col(_CATEGORY.id))
    .order_by(col(_CATEGORY.display_order), col(_CATEGORY.name).collate("C"), col(_CATEGORY.id))
)

_asked = (
    func.unnest(bindparam("user_ids", type_=ARRAY(Uuid)), bindparam("product_ids", type_=ARRAY(Uuid)))
    .table_valued(column("user_id", Uuid), column("product_id", Uuid), with_ordinality="position", name="asked")
    .render_derived()
)
_ACCESS = Statement(
    select(
        col(_ITEM.acquisition_type),
        col(_ITEM.added_at),
        col(_ITEM.shared_from_user_id),
        select(literal(1))
        .where(col(_GRANT.user_id) == _asked.c.user_id, col(_GRANT.product_id) == _asked.c.product_id)
        .exists()
        .label("was_granted"),
    )
    .select_from(_asked)
    .outerjoin(_ITEM, and_(col(_ITEM.user_id) == _asked.c.user_id, col(_ITEM.product_id) == _asked.c.product_id))
    .order_by(_asked.c.position)
)

CATALOG_VERSION = select(col(CatalogVersion.version)).scalar_subquery()
"""A number that grows with each commit to the catalog projection; to be selected in a statement of the caller's."""


class LibraryQueries:
    """Reads of a library over one connection. Each method is one round trip unless it says otherwise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def items(self, user_id: UUID, wanted: ItemFilter, language: Language) -> Slice[ItemView]:
        """One page of the user's library; a second round trip only when the page is empty."""
        shape = _Shape(
            language,
            wanted.sort_by,
            wanted.shared,
            bool(wanted.status),
            wanted.category_id is not None,
            bool(wanted.search),
            wanted.include_hidden,
        )
        values = {
            "user_id": user_id,
            "status": wanted.status,
            "category_id": wanted.category_id,
            "search": fold(wanted.search),
        }
        page = wanted.slice
        rows = await _page(shape).all(self._connection, **values, limit=page.limit, offset=page.offset)
        if rows:
            return Slice([_view(row) for row in rows], rows[0]["total"])
        counted = await _total(shape).first(self._connection, **values)
        return Slice([], counted["total"] if counted else 0)

    async def item(self, user_id: UUID, item_id: UUID, language: Language) -> ItemView | None:
        """One visible item; None when there is none of that id, or no access to it."""
        row = await _ONE_OF_USER[language].first(self._connection, user_id=user_id, item_id=item_id)
        return _view(row) if row else None

    async def items_of_products(self, user_id: UUID, product_ids: Sequence[UUID]) -> list[ItemView]:
        """The user's items, hidden and shared ones too; of all products when ``product_ids`` is empty."""
        if product_ids:
            rows = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        else:
            rows = await _ALL.all(self._connection, user_id=user_id)
        return [_view(row) for row in rows]

    async def categories(self, user_id: UUID) -> list[CategoryView]:
        """All of a user's categories, by display order and name."""
        rows = await _CATEGORIES.all(self._connection, user_id=user_id, category_id=None)
        return [CategoryView(*row.values()) for row in rows]

    async def category(self, user_id: UUID, category_id: UUID) -> CategoryView | None:
        """One category; None when the user has none of that id."""
        row = await _CATEGORIES.first(self._connection, user_id=user_id, category_id=category_id)
        return CategoryView(*row.values()) if row else None

    async def access(self, pairs: Sequence[tuple[UUID, UUID]]) -> list[Access]:
        """For each (user, product), in order, whether the user may play it now."""
        rows = await _ACCESS.all(
            self._connection,
            user_ids=[user for user, _ in pairs],
            product_ids=[product for _, product in pairs],
        )
        return [_access(row) for row in rows]


def _view(row: Record) -> ItemView:
    # A page's rows carry the total as one more column.
    return ItemView(*row[:15])


def _access(row: Record) -> Access:
    if row["acquisition_type"] is None:
        return Access(False, "refunded" if row["was_granted"] else "not_owned")
    return Access(True, "owned", row["added_at"], row["acquisition_type"], row["shared_from_user_id"])
