"""Products: the projection of the Catalog, and the products whose titles are still missing.

Products belong to no user. Their writers take turns at the row of ``catalog_version`` and never touch the rows of a
user, so they cannot deadlock with a user's transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.library._models import CatalogVersion, MissingProduct, Product
from gameshelf.library._product_facts import COLUMNS
from gameshelf.library._store.expressions import has_title
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class ProductTitles:
    """The titles of a product, and the keys that are stored for sorting and searching them."""

    product_id: UUID
    title_ru: str | None
    title_en: str | None
    sort_key_ru: str | None
    sort_key_en: str | None


@dataclass(frozen=True, slots=True)
class DueProduct:
    """A product of one user whose title was missing, and whether it is known by now."""

    user_id: UUID
    product_id: UUID
    has_title: bool


_KEY = col(Product.product_id)

# Every writer locks it first. The statement by which it reads then sees what the writer before has committed.
_TAKE_TURN = Statement(select(col(CatalogVersion.version)).with_for_update())
_COUNT_CHANGE = Statement(update(CatalogVersion).values(version=col(CatalogVersion.version) + 1))
_CURRENT = Statement(
    select(_KEY, *(getattr(Product, name) for name in COLUMNS)).where(any_(array("product_ids", Uuid)) == _KEY)
)


def _type(column_name: str) -> Any:
    if column_name.endswith("_at"):
        return TIME
    return Boolean if column_name in ("is_free_to_play", "family_sharing_allowed") else String


_merged = rows("merged", product_id=("product_id", Uuid), **{name: (name, _type(name)) for name in COLUMNS})
_insert_merged = insert(Product).from_select(["product_id", *COLUMNS], select(*_merged.c), include_defaults=False)
_WRITE = Statement(
    _insert_merged.on_conflict_do_update(
        index_elements=["product_id"], set_={name: _insert_merged.excluded[name] for name in COLUMNS}
    )
)

_TITLES = Statement(
    select(_KEY, *(getattr(Product, name) for name in ("title_ru", "title_en", "sort_key_ru", "sort_key_en")))
    .where(bindparam("start", type_=Uuid) <= _KEY)
    .order_by(_KEY)
    .limit(bindparam("limit", type_=Integer))
)
_PRODUCT_TITLES = RowReader(ProductTitles, _TITLES)
_folded = rows("folded", product_id=("product_ids", Uuid), ru=("keys_ru", String), en=("keys_en", String))
_SET_KEYS = Statement(
    update(Product).values(sort_key_ru=_folded.c.ru, sort_key_en=_folded.c.en).where(_folded.c.product_id == _KEY)
)
_BEGIN_REFOLDING = Statement(update(CatalogVersion).values(is_refolding=True))
_END_REFOLDING = Statement(
    update(CatalogVersion)
    .values(is_refolding=False, version=col(CatalogVersion.version) + 1)
    .where(col(CatalogVersion.is_refolding).is_(True))
)

MISSING_LOCK = 0x6D69_7373_696E_6700
"""The advisory lock of a transaction that asks for missing products. Entries are of all users, and rows on several
shards can't be locked by one statement: so one instance at a time reads those that are due.
"""
_TAKE_MISSING = Statement(select(func.pg_try_advisory_xact_lock(literal(MISSING_LOCK, BigInteger)).label("taken")))
_DUE = Statement(
    select(
        col(MissingProduct.user_id),
        col(MissingProduct.product_id),
        has_title(col(MissingProduct.product_id)).label("has_title"),
    )
    .where(col(MissingProduct.ask_after) <= bindparam("now", type_=TIME))
    .order_by(col(MissingProduct.ask_after))
    .limit(bindparam("limit", type_=Integer))
)
_DUE_PRODUCT = RowReader(DueProduct, _DUE)
_due = rows("due", user_id=("user_ids", Uuid), product_id=("product_ids", Uuid))
_is_due = and_(col(MissingProduct.user_id) == _due.c.user_id, col(MissingProduct.product_id) == _due.c.product_id)
_ASK_LATER = Statement(update(MissingProduct).values(ask_after=bindparam("again", type_=TIME)).where(_is_due))
_DELETE_MISSING = Statement(delete(MissingProduct).where(_is_due))


class ProductStore:
    """Products over one connection inside a transaction of their own (no user's). Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take_turn(self) -> None:
        """Waits until no other transaction writes products; none does until this one ends."""
        await _TAKE_TURN.first(self._connection)

    async def products(self, product_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
        """Returns the stored columns of those of the products that are known."""
        found = await _CURRENT.all(self._connection, product_ids=list(product_ids))
        return {row["product_id"]: {name: row[name] for name in COLUMNS} for row in found}

    async def write(self, products: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Writes all columns of these products, new ones too."""
        columns = {name: [product[name] for product in products.values()] for name in COLUMNS}
        await _WRITE.run(self._connection, product_id=list(products), **columns)

    async def count_change(self) -> None:
        """Increases ``CATALOG_VERSION`` by one."""
        await _COUNT_CHANGE.run(self._connection)

    async def titles(self, start: UUID, limit: int) -> list[ProductTitles]:
        """Returns the titles of up to ``limit`` products from ``start`` on, by id."""
        return _PRODUCT_TITLES.read_all(await _TITLES.all(self._connection, start=start, limit=limit))

    async def set_sort_keys(self, keys: Mapping[UUID, tuple[str | None, str | None]]) -> None:
        """Writes the Russian and the English sort key of products."""
        await _SET_KEYS.run(
            self._connection,
            product_ids=list(keys),
            keys_ru=[ru for ru, _ in keys.values()],
            keys_en=[en for _, en in keys.values()],
        )

    async def begin_refolding(self) -> None:
        """Stores that sort keys have changed and that the change is not counted yet."""
        await _BEGIN_REFOLDING.run(self._connection)

    async def end_refolding(self) -> None:
        """Counts the change of sort keys, if there was one."""
        await _END_REFOLDING.run(self._connection)

    async def take_missing(self) -> bool:
        """Returns whether this transaction may ask for missing products; no other one does until it ends."""
        row = await _TAKE_MISSING.first(self._connection)
        return bool(row and row["taken"])

    async def due(self, now: datetime, limit: int) -> list[DueProduct]:
        """Returns up to ``limit`` missing products that are due at ``now``."""
        return _DUE_PRODUCT.read_all(await _DUE.all(self._connection, now=now, limit=limit))

    async def ask_later(self, products: Sequence[DueProduct], again: datetime) -> None:
        """Makes missing products due at ``again``."""
        await _ASK_LATER.run(self._connection, again=again, **_keys(products))

    async def delete_missing(self, products: Sequence[DueProduct]) -> None:
        """Deletes the entries of products whose titles are no longer missing."""
        await _DELETE_MISSING.run(self._connection, **_keys(products))


def _keys(products: Sequence[DueProduct]) -> dict[str, list[UUID]]:
    return {"user_ids": [one.user_id for one in products], "product_ids": [one.product_id for one in products]}
