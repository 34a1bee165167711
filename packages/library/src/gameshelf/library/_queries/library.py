"""Queries of items, categories and products: SQL to plain values. Nothing here writes or decides."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.folding import fold_title
from gameshelf.kernel.paging import Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.library._commands import HiddenFilter, ItemFilter, ItemSort, SharedFilter
from gameshelf.library._installations import dump, load, on_device
from gameshelf.library._item_ids import spellings
from gameshelf.library._models import CatalogVersion, Category, ItemCategory, LibraryItem, Product
from gameshelf.library._rules import known_rating
from gameshelf.library._store.expressions import (
    device_parameters,
    installations_json_of,
    installed_before,
    is_on_device,
)
from gameshelf.library._views import CategoryView, ItemView, Language, ProductView
from gameshelf.library._visible import visible_items
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import LateralFromClause, Select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of items: rows of ``item`` that meet ``conditions``, each with its product."""

    item: Any
    conditions: tuple[ColumnElement[bool], ...]
    product: LateralFromClause


def _product_of(item: Any, name: str) -> LateralFromClause:
    """Selects the product of an item, looked up row by row by its key.

    The limit keeps the planner from joining whole tables: it would read the whole catalog to show one library.
    """
    return (
        select(
            col(Product.product_type),
            col(Product.title_ru),
            col(Product.title_en),
            col(Product.sort_key_ru),
            col(Product.sort_key_en),
            col(Product.cover_image_url),
        )
        .where(col(Product.product_id) == col(item.product_id))
        .limit(literal_column("1"))
        .lateral(name)
    )


def _columns(language: Language, item: Any, product: LateralFromClause) -> tuple[Any, ...]:
    """The columns of an ``ItemView``, and when the item was installed before (see ``item_view``)."""
    titles = (product.c.title_en, product.c.title_ru) if language == "en" else (product.c.title_ru, product.c.title_en)
    in_categories = (
        select(col(ItemCategory.category_id))
        .where(
            col(ItemCategory.user_id) == bindparam("user_id", type_=Uuid),
            col(ItemCategory.library_item_id) == col(item.id),
        )
        .order_by(col(ItemCategory.category_id))
    )
    return (
        col(item.id),
        col(item.product_id),
        func.coalesce(product.c.product_type, item.product_type).label("product_type"),
        func.coalesce(*titles).label("title"),
        product.c.cover_image_url,
        col(item.added_at),
        col(item.acquisition_type),
        col(item.shared_from_user_id),
        col(item.installation_status),
        col(item.installed_version_id),
        col(item.last_played_at),
        col(item.total_playtime_seconds),
        col(item.is_hidden),
        col(item.user_rating),
        func.array(in_categories.scalar_subquery(), type_=ARRAY(Uuid)).label("category_ids"),
        installations_json_of(item).label("installations_json"),
        installed_before(item).label("installed_before"),
    )


def _order(sort: ItemSort, language: Language, item: Any, product: LateralFromClause) -> tuple[Any, ...]:
    """Every order ends in the id. Games with the same playtime, or never played, are sorted by the newest first."""
    key = product.c.sort_key_en if language == "en" else product.c.sort_key_ru
    newest = col(item.added_at).desc()
    orders: dict[ItemSort, tuple[Any, ...]] = {
        ItemSort.NAME_ASC: (key.asc().nulls_last(),),
        ItemSort.NAME_DESC: (key.desc().nulls_last(),),
        ItemSort.LAST_PLAYED_DESC: (col(item.last_played_at).desc().nulls_last(), newest),
        ItemSort.ADDED_AT_DESC: (newest,),
        ItemSort.PLAYTIME_DESC: (col(item.total_playtime_seconds).desc(), newest),
    }
    return *orders[sort], col(item.id)


_OWNED = _Source(
    LibraryItem,
    (
        col(LibraryItem.user_id) == bindparam("user_id", type_=Uuid),
        col(LibraryItem.acquisition_type).is_not(None),
    ),
    _product_of(LibraryItem, "product"),
)
"""A library without shared games: for most users that is all of it, and an index has the default order."""
_visible_item = visible_items()
_VISIBLE = _Source(_visible_item, (), _product_of(_visible_item, "product"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """The parts of a page's statement. It is compiled once per shape; the last 512 of thousands are cached."""

    language: Language
    sort: ItemSort
    shared: SharedFilter
    by_status: bool
    by_category: bool
    by_title: bool
    hidden: HiddenFilter
    has_shares: bool
    by_products: bool = False
    by_type: bool = False
    uncategorized: bool = False
    on_device: bool = False
    played: bool | None = None

    @property
    def source(self) -> _Source:
        return _VISIBLE if self.has_shares else _OWNED

    @classmethod
    def of_filter(cls, wanted: ItemFilter, language: Language, *, has_shares: bool) -> "_Shape":
        return cls(
            language,
            wanted.sort_by,
            wanted.shared,
            bool(wanted.status),
            wanted.category_id is not None,
            bool(wanted.search),
            wanted.include_hidden,
            has_shares,
            bool(wanted.product_ids),
            bool(wanted.product_type),
            wanted.uncategorized,
            # Without a status the same items are found; each shows the installation of the device.
            bool(wanted.status) and wanted.device_id is not None,
            wanted.played,
        )

    @property
    def is_dear(self) -> bool:
        """Whether finding the matching items costs more than storing them until they are counted and sorted."""
        return self.by_title or self.by_products or self.by_category or self.on_device

    @property
    def needs_product(self) -> bool:
        """Whether the product of every item of the library is looked up."""
        return self.by_title or self.by_type or self.is_by_name

    @property
    def is_by_name(self) -> bool:
        return self.sort in (ItemSort.NAME_ASC, ItemSort.NAME_DESC)


def _matching(shape: _Shape, *columns: Any) -> Select[Any]:
    """Selects these columns of every item that matches the filter; without columns the whole item."""
    source = shape.source
    item = source.item
    matching = select(*(columns or (item,))).select_from(item).where(*source.conditions)
    if shape.hidden is not HiddenFilter.INCLUDE:
        matching = matching.where(col(item.is_hidden).is_(shape.hidden is HiddenFilter.ONLY))
    if shape.by_status:
        of_account = col(item.installation_status) == any_(bindparam("status", type_=ARRAY(String)))
        matching = matching.where(is_on_device(item) if shape.on_device else of_account)
    if shape.by_products:
        matching = matching.where(col(item.product_id) == any_(bindparam("product_ids", type_=ARRAY(Uuid))))
    if shape.played is not None:
        was_played = col(item.last_played_at).is_not(None)
        matching = matching.where(was_played if shape.played else ~was_played)
    if shape.uncategorized:
        # The planner reads it once into a hash instead of looking it up per item.
        sorted_into = select(col(ItemCategory.library_item_id)).where(
            col(ItemCategory.user_id) == bindparam("user_id", type_=Uuid)
        )
        matching = matching.where(col(item.id).not_in(sorted_into))
    if shape.by_category:
        matching = matching.join(
            ItemCategory,
            and_(
                col(ItemCategory.user_id) == bindparam("user_id", type_=Uuid),
                col(ItemCategory.library_item_id) == col(item.id),
            ),
        ).where(col(ItemCategory.category_id) == bindparam("category_id", type_=Uuid))
    if shape.by_title:
        sought = bindparam("search", type_=String)
        in_ru = func.strpos(source.product.c.sort_key_ru, sought) > 0
        in_en = func.strpos(source.product.c.sort_key_en, sought) > 0
        matching = matching.join(source.product, true()).where(or_(in_ru, in_en))
    elif shape.needs_product and (columns == () or shape.by_type):
        matching = matching.outerjoin(source.product, true())
    if shape.by_type:
        its_type = func.coalesce(source.product.c.product_type, item.product_type)
        matching = matching.where(its_type == any_(bindparam("product_types", type_=ARRAY(String))))
    if shape.shared is SharedFilter.ONLY:
        matching = matching.where(col(item.shared_from_user_id).is_not(None))
    elif shape.shared is SharedFilter.EXCLUDE:
        matching = matching.where(col(item.shared_from_user_id).is_(None))
    return matching


@lru_cache(maxsize=512)
def _page(shape: _Shape) -> Statement:
    """Selects the items of the page with the total, in one round trip; an empty page is one row without an id.

    Other tables are looked up only for the rows of the page, after the limit was applied.
    """
    if shape.is_dear:
        matching = _matching(shape).cte("matching")
        item: Any = aliased(LibraryItem, matching)
        whole = select(func.count().label("total")).select_from(matching).subquery("whole")
        product_of_item = _product_of(item, "product_of_item")
        found = select(item)
        if shape.is_by_name:
            found = found.outerjoin(product_of_item, true())
    else:
        item, product_of_item = shape.source.item, shape.source.product
        whole = _matching(shape, func.count().label("total")).subquery("whole")
        found = _matching(shape)
    found = found.order_by(*_order(shape.sort, shape.language, item, product_of_item))
    found = found.limit(bindparam("limit", type_=Integer)).offset(bindparam("offset", type_=BigInteger))
    page = aliased(LibraryItem, found.subquery("page"))
    product = _product_of(page, "product_of_page")
    return _ITEM.checked(
        Statement(
            select(*_columns(shape.language, page, product), whole.c.total)
            .select_from(whole)
            .outerjoin(page, true())
            .outerjoin(product, true())
            .order_by(*_order(shape.sort, shape.language, page, product))
        )
    )


def _visible(language: Language, *conditions: ColumnElement[bool]) -> Statement:
    """Selects visible items of the user, by id."""
    return Statement(
        select(*_columns(language, _VISIBLE.item, _VISIBLE.product))
        .select_from(_VISIBLE.item)
        .outerjoin(_VISIBLE.product, true())
        .where(*conditions)
        .order_by(col(_VISIBLE.item.id))
    )


_OF_ID: dict[Language, Statement] = {
    language: _visible(language, col(_VISIBLE.item.id) == any_(bindparam("item_ids", type_=ARRAY(Uuid))))
    for language in ("ru", "en")
}
_OF_PRODUCTS = _visible("ru", col(_VISIBLE.item.product_id) == any_(bindparam("product_ids", type_=ARRAY(Uuid))))
_ALL = _visible("ru")
_ITEM = RowReader(ItemView, *_OF_ID.values(), _OF_PRODUCTS, _ALL, others=("installed_before", "total"))
_SEEN = Statement(
    select(col(_VISIBLE.item.id), col(_VISIBLE.item.product_id)).where(
        col(_VISIBLE.item.id) == any_(bindparam("item_ids", type_=ARRAY(Uuid)))
    )
)


def _categories(*conditions: ColumnElement[bool]) -> Statement:
    """Selects categories of the user, each with the number of games that its list shows by default."""
    item = _VISIBLE.item
    # The planner cannot turn IN ... IS TRUE into a join, so it reads the items once into a hash. With statistics of a
    # nearly empty table it would join them by a nested loop.
    is_shown = col(ItemCategory.library_item_id).in_(select(col(item.id)).where(col(item.is_hidden).is_(False)))
    shown = (
        select(col(ItemCategory.category_id), func.count().label("items"))
        .where(col(ItemCategory.user_id) == bindparam("user_id", type_=Uuid), is_shown.is_(true()))
        .group_by(col(ItemCategory.category_id))
        .subquery("shown")
    )
    return Statement(
        select(
            col(Category.id),
            col(Category.name),
            col(Category.display_order),
            func.coalesce(shown.c["items"], 0).label("item_count"),
            col(Category.created_at),
            col(Category.updated_at),
        )
        .outerjoin(shown, shown.c.category_id == col(Category.id))
        .where(col(Category.user_id) == bindparam("user_id", type_=Uuid), *conditions)
    )


_CATEGORIES = _categories()
_CATEGORY = _categories(col(Category.id) == bindparam("category_id", type_=Uuid))
_CATEGORY_VIEW = RowReader(CategoryView, _CATEGORIES, _CATEGORY)

_SHOWN = Statement(
    select(col(Product.product_id), col(Product.title_ru), col(Product.title_en), col(Product.cover_image_url)).where(
        col(Product.product_id) == any_(bindparam("product_ids", type_=ARRAY(Uuid)))
    )
)
_PRODUCT_VIEW = RowReader(ProductView, _SHOWN)

CATALOG_VERSION = select(col(CatalogVersion.version)).scalar_subquery()
"""A number that grows with each commit to the catalog projection, for statements of callers."""


class LibraryQueries:
    """Reads of a library over one connection, which needs no transaction. Each method is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def items(
        self, user_id: UUID, wanted: ItemFilter, language: Language, *, has_shares: bool = True
    ) -> Slice[ItemView]:
        """Returns one page of the user's library and the total; past the end the page is empty.

        ``has_shares=False`` means that nobody shares games with the user; the query then costs less.
        """
        rows = await self.lookup_items(user_id, wanted, language, has_shares=has_shares).all(self._connection)
        shown = [item_view(row, wanted.device_id) for row in rows if row["id"] is not None]
        return Slice(shown, rows[0]["total"])

    @staticmethod
    def lookup_items(
        user_id: UUID, wanted: ItemFilter, language: Language, *, has_shares: bool = True
    ) -> BoundStatement:
        """Returns what ``items`` reads."""
        slice_ = wanted.slice
        return _page(_Shape.of_filter(wanted, language, has_shares=has_shares)).bind(
            user_id=user_id,
            status=wanted.status,
            category_id=wanted.category_id,
            search=fold_title(wanted.search) or None,
            product_ids=list(wanted.product_ids),
            product_types=list(wanted.product_type),
            **device_parameters(wanted.device_id, wanted.status),
            limit=slice_.limit,
            offset=slice_.offset,
        )

    async def item(
        self, user_id: UUID, item_id: UUID, language: Language, device_id: str | None = None
    ) -> ItemView | None:
        """Returns one visible item, with the installation of a device if one is named; None where it is not visible."""
        row = await _OF_ID[language].first(self._connection, user_id=user_id, item_ids=spellings(item_id))
        return item_view(row, device_id) if row else None

    async def items_of_products(
        self, user_id: UUID, product_ids: Sequence[UUID], device_id: str | None = None
    ) -> list[ItemView]:
        """Returns the user's items, including hidden and shared ones; of all products when ``product_ids`` is empty."""
        if product_ids:
            rows = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        else:
            rows = await _ALL.all(self._connection, user_id=user_id)
        return [item_view(row, device_id) for row in rows]

    async def visible_products(self, user_id: UUID, item_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Returns those of the items that the user sees, each with its product."""
        rows = await _SEEN.all(self._connection, user_id=user_id, item_ids=list(item_ids))
        return {row["id"]: row["product_id"] for row in rows}

    async def categories(self, user_id: UUID) -> list[CategoryView]:
        """Returns all categories of a user (at most 200), by display order, then as titles are sorted: ё beside е."""
        rows = await _CATEGORIES.all(self._connection, user_id=user_id)
        return sorted(
            _CATEGORY_VIEW.read_all(rows),
            key=lambda view: (view.display_order, fold_title(view.name), view.name, view.id),
        )

    async def category(self, user_id: UUID, category_id: UUID) -> CategoryView | None:
        """Returns one category; None when the user has none of that id."""
        row = await _CATEGORY.first(self._connection, user_id=user_id, category_id=category_id)
        return _CATEGORY_VIEW.read_optional(row)

    async def title(self, product_id: UUID) -> str | None:
        """Returns the product's title, in Russian if there is one; None while the Catalog has not published one."""
        shown = (await self.products([product_id])).get(product_id)
        return shown.title("ru") if shown else None

    @staticmethod
    def lookup_products(product_ids: Sequence[UUID]) -> BoundStatement:
        """Returns what ``products`` reads."""
        return _SHOWN.bind(product_ids=list(product_ids))

    async def products(self, product_ids: Sequence[UUID]) -> dict[UUID, ProductView]:
        """Returns those of the products that the Catalog has published."""
        rows = await _SHOWN.all(self._connection, product_ids=list(product_ids))
        return {view.product_id: view for view in _PRODUCT_VIEW.read_all(rows)}


def item_view(row: Any, device_id: str | None = None) -> ItemView:
    """Returns the item of a row; with ``device_id`` its status and its version are those of that device."""
    item = _ITEM.read(row)
    document: str | None = item.installations_json
    if document is not None and item.user_rating is None and device_id is None:
        return item
    if document is None:
        # Only where a release before the installations of devices wrote the columns of the item.
        status, version_id = item.installation_status, item.installed_version_id
        document = dump(load(None, None, status, version_id, row["installed_before"]).entries)
        _correct(item, "installations_json", document)
    if item.user_rating is not None:
        _correct(item, "user_rating", known_rating(item.user_rating))
    if device_id is not None:
        status, version_id = on_device(document, device_id)
        _correct(item, "installation_status", status)
        _correct(item, "installed_version_id", version_id)
    return item


# Only for an item that was just made and that nobody else has yet: a second object takes three times as long.
_correct = object.__setattr__
