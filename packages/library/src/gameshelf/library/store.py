"""Writing a library: every statement that changes the schema, and the reads that a decision needs.

The caller holds the user's lock, so what is read here cannot change before it is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.database import Connection, Statement
from gameshelf.library.models import Category, Grant, GrantKind, ItemCategory, LibraryItem, Product, WantedProduct
from gameshelf.library.rules import Holding, Ownership
from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    String,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_TIME = DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What a decision about an item depends on."""

    id: UUID
    product_id: UUID
    ownership: Ownership | None
    installation_status: str
    installed_version_id: str | None
    installation_changed_at: datetime | None
    is_hidden: bool
    user_rating: float | None
    rating_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A reason to own ``product_id`` since ``acquired_at`` (the source's own time)."""

    product_id: UUID
    kind: GrantKind
    source_id: str
    acquired_at: datetime
    product_type: str | None = None


def _array(name: str, kind: Any) -> Any:
    return bindparam(name, type_=ARRAY(kind))


def _user() -> Any:
    return bindparam("user_id", type_=Uuid)


_new_grants = (
    func.unnest(
        _array("product_ids", Uuid),
        _array("kinds", String),
        _array("source_ids", String),
        _array("times", _TIME),
    )
    .table_valued(
        column("product_id", Uuid),
        column("kind", String),
        column("source_id", String),
        column("acquired_at", _TIME),
        name="new",
    )
    .render_derived()
)
_insert_grants = insert(Grant).from_select(
    ["user_id", "product_id", "kind", "source_id", "acquired_at"],
    select(_user(), *_new_grants.c),
    include_defaults=False,
)
# A tombstone learns when its purchase was, but stays ended; a grant that is there already stays as it is.
_ADD_GRANTS = Statement(
    _insert_grants.on_conflict_do_update(
        index_elements=["user_id", "product_id", "kind", "source_id"],
        set_={"acquired_at": _insert_grants.excluded.acquired_at},
        where=col(Grant.acquired_at).is_(None),
    )
)
_given = (
    func.unnest(_array("product_ids", Uuid)).table_valued(column("product_id", Uuid), name="given").render_derived()
)
_insert_ends = insert(Grant).from_select(
    ["user_id", "product_id", "kind", "source_id", "ended_at"],
    select(
        _user(),
        _given.c.product_id,
        bindparam("kind", type_=String),
        bindparam("source_id", type_=String),
        bindparam("ended_at", type_=_TIME),
    ),
    include_defaults=False,
)
# Inserts a tombstone where the grant was never heard of; an end is never moved.
_END_GRANTS = Statement(
    _insert_ends.on_conflict_do_update(
        index_elements=["user_id", "product_id", "kind", "source_id"],
        set_={"ended_at": _insert_ends.excluded.ended_at},
        where=col(Grant.ended_at).is_(None),
    )
)
_HOLDINGS = Statement(
    select(col(Grant.product_id), col(Grant.kind), col(Grant.source_id), col(Grant.acquired_at)).where(
        col(Grant.user_id) == _user(),
        col(Grant.product_id) == any_(_array("product_ids", Uuid)),
        col(Grant.ended_at).is_(None),
    )
)

_wanted = (
    func.unnest(_array("ids", Uuid), _array("product_ids", Uuid), _array("product_types", String))
    .table_valued(column("id", Uuid), column("product_id", Uuid), column("product_type", String), name="wanted")
    .render_derived()
)
_ENSURE_ITEMS = Statement(
    insert(LibraryItem)
    .from_select(["user_id", "id", "product_id", "product_type"], select(_user(), *_wanted.c), include_defaults=False)
    .on_conflict_do_nothing(index_elements=["user_id", "product_id"])
)
_stored = (
    col(LibraryItem.id),
    col(LibraryItem.product_id),
    col(LibraryItem.acquisition_type),
    col(LibraryItem.added_at),
    col(LibraryItem.installation_status),
    col(LibraryItem.installed_version_id),
    col(LibraryItem.installation_changed_at),
    col(LibraryItem.is_hidden),
    col(LibraryItem.user_rating),
    col(LibraryItem.rating_changed_at),
)
_OF_PRODUCTS = Statement(
    select(*_stored).where(
        col(LibraryItem.user_id) == _user(), col(LibraryItem.product_id) == any_(_array("product_ids", Uuid))
    )
)
_OF_ID = Statement(
    select(*_stored).where(col(LibraryItem.user_id) == _user(), col(LibraryItem.id) == bindparam("item_id", type_=Uuid))
)
_owned = (
    func.unnest(_array("ids", Uuid), _array("types", String), _array("times", _TIME))
    .table_valued(column("id", Uuid), column("acquisition_type", String), column("added_at", _TIME), name="owned")
    .render_derived()
)
_SET_OWNERSHIP = Statement(
    update(LibraryItem)
    .values(acquisition_type=_owned.c.acquisition_type, added_at=_owned.c.added_at, updated_at=func.now())
    .where(col(LibraryItem.user_id) == _user(), col(LibraryItem.id) == _owned.c.id)
)
_SET_STATE = Statement(
    update(LibraryItem)
    .values(
        is_hidden=bindparam("new_is_hidden"),
        installation_status=bindparam("new_installation_status"),
        installed_version_id=bindparam("new_installed_version_id"),
        installation_changed_at=bindparam("new_installation_changed_at"),
        user_rating=bindparam("new_user_rating"),
        rating_changed_at=bindparam("new_rating_changed_at"),
        updated_at=func.now(),
    )
    .where(col(LibraryItem.user_id) == _user(), col(LibraryItem.id) == bindparam("item_id", type_=Uuid))
)

_heard = select(literal(1)).where(col(Product.product_id) == _given.c.product_id).exists()
_WANT_PRODUCTS = Statement(
    insert(WantedProduct)
    .from_select(
        ["user_id", "product_id", "ask_after"],
        select(_user(), _given.c.product_id, bindparam("now", type_=_TIME)).where(~_heard),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)
_IS_FREE = Statement(
    select(col(Product.is_free_to_play)).where(col(Product.product_id) == bindparam("product_id", type_=Uuid))
)

_COUNT_CATEGORIES = Statement(
    select(func.count().label("n")).select_from(Category).where(col(Category.user_id) == _user())
)
_INSERT_CATEGORY = Statement(
    insert(Category)
    .values(
        user_id=_user(),
        id=bindparam("category_id", type_=Uuid),
        name=bindparam("name", type_=String),
        display_order=bindparam("display_order", type_=Integer),
    )
    .on_conflict_do_nothing(index_elements=["user_id", "name"])
)
_UPDATE_CATEGORY = Statement(
    update(Category)
    .values(name=bindparam("new_name"), display_order=bindparam("new_display_order"), updated_at=func.now())
    .where(col(Category.user_id) == _user(), col(Category.id) == bindparam("category_id", type_=Uuid))
)
_CATEGORY_OF_NAME = Statement(
    select(col(Category.id)).where(
        col(Category.user_id) == _user(), col(Category.name) == bindparam("name", type_=String)
    )
)
_DELETE_CATEGORY = Statement(
    delete(Category).where(col(Category.user_id) == _user(), col(Category.id) == bindparam("category_id", type_=Uuid))
)
_EXISTING_CATEGORIES = Statement(
    select(col(Category.id)).where(
        col(Category.user_id) == _user(), col(Category.id) == any_(_array("category_ids", Uuid))
    )
)
_CLEAR_ITEM_CATEGORIES = Statement(
    delete(ItemCategory).where(
        col(ItemCategory.user_id) == _user(),
        col(ItemCategory.library_item_id) == bindparam("item_id", type_=Uuid),
        col(ItemCategory.category_id) != func.all(_array("category_ids", Uuid)),
    )
)
_chosen = (
    func.unnest(_array("category_ids", Uuid)).table_valued(column("category_id", Uuid), name="chosen").render_derived()
)
_ADD_ITEM_CATEGORIES = Statement(
    insert(ItemCategory)
    .from_select(
        ["user_id", "library_item_id", "category_id"],
        select(_user(), bindparam("item_id", type_=Uuid), _chosen.c.category_id),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)


def _erase(table: Any, *key: Any) -> Statement:
    """Deletes at most ``limit`` of a user's rows: a large library is erased in bounded transactions."""
    chunk = select(*key).where(key[0] == _user()).limit(bindparam("limit", type_=Integer))
    return Statement(delete(table).where(key[0] == _user(), tuple_(*key).in_(chunk)))


_ERASE = (
    _erase(
        ItemCategory,
        col(ItemCategory.user_id),
        col(ItemCategory.library_item_id),
        col(ItemCategory.category_id),
    ),
    _erase(WantedProduct, col(WantedProduct.user_id), col(WantedProduct.product_id)),
    _erase(Category, col(Category.user_id), col(Category.id)),
    _erase(LibraryItem, col(LibraryItem.user_id), col(LibraryItem.id)),
    _erase(Grant, col(Grant.user_id), col(Grant.product_id), col(Grant.kind), col(Grant.source_id)),
)


class LibraryStore:
    """The library's tables over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_grants(self, user_id: UUID, grants: Sequence[NewGrant], now: datetime) -> None:
        """Records grants; one that is known, living or ended, stays as it is."""
        unique = {(grant.product_id, grant.kind, grant.source_id): grant for grant in reversed(grants)}.values()
        await _ADD_GRANTS.run(
            self._connection,
            user_id=user_id,
            product_ids=[grant.product_id for grant in unique],
            kinds=[grant.kind for grant in unique],
            source_ids=[grant.source_id for grant in unique],
            times=[grant.acquired_at for grant in unique],
        )
        products = {grant.product_id: grant.product_type for grant in unique}
        await _WANT_PRODUCTS.run(self._connection, user_id=user_id, product_ids=list(products), now=now)

    async def end_grants(
        self, user_id: UUID, kind: GrantKind, source_id: str, product_ids: Iterable[UUID], ended_at: datetime
    ) -> None:
        """Ends grants of one source; a tombstone stands where one was not heard of yet."""
        await _END_GRANTS.run(
            self._connection,
            user_id=user_id,
            kind=kind,
            source_id=source_id,
            product_ids=sorted(set(product_ids)),
            ended_at=ended_at,
        )

    async def holdings(self, user_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, list[Holding]]:
        """The live grants of each product; a product without any is left out."""
        found: dict[UUID, list[Holding]] = {}
        for row in await _HOLDINGS.all(self._connection, user_id=user_id, product_ids=list(product_ids)):
            held = Holding(GrantKind(row["kind"]), row["source_id"], row["acquired_at"])
            found.setdefault(row["product_id"], []).append(held)
        return found

    async def items_of_products(
        self, user_id: UUID, product_ids: Iterable[UUID], types: Mapping[UUID, str | None] | None = None
    ) -> list[StoredItem]:
        """The items of these products, each made (of its type, where that is known) if it is not there yet."""
        products = sorted(set(product_ids))
        rows = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=products)
        if len(rows) < len(products):
            await _ENSURE_ITEMS.run(
                self._connection,
                user_id=user_id,
                ids=[uuid4() for _ in products],
                product_ids=products,
                product_types=[(types or {}).get(product_id) for product_id in products],
            )
            rows = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=products)
        return [_stored_item(row) for row in rows]

    async def item(self, user_id: UUID, item_id: UUID) -> StoredItem | None:
        """The item of that id, with or without access."""
        row = await _OF_ID.first(self._connection, user_id=user_id, item_id=item_id)
        return _stored_item(row) if row else None

    async def set_ownership(self, user_id: UUID, ownerships: Sequence[tuple[UUID, Ownership | None]]) -> None:
        """Writes what (item id, ownership) show; None takes the item out of sight."""
        await _SET_OWNERSHIP.run(
            self._connection,
            user_id=user_id,
            ids=[item_id for item_id, _ in ownerships],
            types=[owned.acquisition_type if owned else None for _, owned in ownerships],
            times=[owned.added_at if owned else None for _, owned in ownerships],
        )

    async def set_state(self, user_id: UUID, item: StoredItem) -> None:
        """Writes the user's own state of an item."""
        await _SET_STATE.run(
            self._connection,
            user_id=user_id,
            item_id=item.id,
            new_is_hidden=item.is_hidden,
            new_installation_status=item.installation_status,
            new_installed_version_id=item.installed_version_id,
            new_installation_changed_at=item.installation_changed_at,
            new_user_rating=item.user_rating,
            new_rating_changed_at=item.rating_changed_at,
        )

    async def is_free(self, product_id: UUID) -> bool | None:
        """Whether a product is free to play; None when the Catalog has not spoken of it."""
        row = await _IS_FREE.first(self._connection, product_id=product_id)
        return bool(row["is_free_to_play"]) if row else None

    async def count_categories(self, user_id: UUID) -> int:
        row = await _COUNT_CATEGORIES.first(self._connection, user_id=user_id)
        return row["n"] if row else 0

    async def insert_category(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> bool:
        """False when the user has a category of that name."""
        return (
            await _INSERT_CATEGORY.run(
                self._connection,
                user_id=user_id,
                category_id=category_id,
                name=name,
                display_order=display_order,
            )
            == 1
        )

    async def category_of_name(self, user_id: UUID, name: str) -> UUID | None:
        row = await _CATEGORY_OF_NAME.first(self._connection, user_id=user_id, name=name)
        return row["id"] if row else None

    async def update_category(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> None:
        await _UPDATE_CATEGORY.run(
            self._connection,
            user_id=user_id,
            category_id=category_id,
            new_name=name,
            new_display_order=display_order,
        )

    async def delete_category(self, user_id: UUID, category_id: UUID) -> bool:
        """False when there was none; the games in it stay in the library."""
        return await _DELETE_CATEGORY.run(self._connection, user_id=user_id, category_id=category_id) == 1

    async def existing_categories(self, user_id: UUID, category_ids: Iterable[UUID]) -> set[UUID]:
        rows = await _EXISTING_CATEGORIES.all(self._connection, user_id=user_id, category_ids=list(category_ids))
        return {row["id"] for row in rows}

    async def set_item_categories(self, user_id: UUID, item_id: UUID, category_ids: Sequence[UUID]) -> bool:
        """Puts an item into exactly these categories; whether that changed anything."""
        wanted = list(category_ids)
        removed = await _CLEAR_ITEM_CATEGORIES.run(
            self._connection, user_id=user_id, item_id=item_id, category_ids=wanted
        )
        added = await _ADD_ITEM_CATEGORIES.run(self._connection, user_id=user_id, item_id=item_id, category_ids=wanted)
        return bool(removed or added)

    async def erase(self, user_id: UUID, limit: int) -> bool:
        """Deletes at most ``limit`` rows of a table; whether rows may be left."""
        for statement in _ERASE:
            if await statement.run(self._connection, user_id=user_id, limit=limit):
                return True
        return False


def _stored_item(row: Any) -> StoredItem:
    owned = Ownership(row["acquisition_type"], row["added_at"]) if row["acquisition_type"] else None
    return StoredItem(row["id"], row["product_id"], owned, *row[4:])
