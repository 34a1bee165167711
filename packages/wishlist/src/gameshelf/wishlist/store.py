"""All SQL of wishlists. The caller holds the user's lock where it writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.clock import EARLIEST, LATEST
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, Erasure, array, rows, user
from gameshelf.wishlist.models import HeldBackWisher, ProductPrice, SaleNotification, WishlistItem
from gameshelf.wishlist.rules import Conditions, Price
from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_I, _P, _N = WishlistItem, ProductPrice, SaleNotification
_PRODUCT = bindparam("product_id", type_=Uuid)
_ITEM = bindparam("item_id", type_=Uuid)
_OF_USER = col(_I.user_id) == user()

ERASURE = Erasure((HeldBackWisher, WishlistItem, SaleNotification))

SALES_LOCKS = 0x73616C65
"""The first key of the advisory locks that order wishes and prices of a product; the second follows from its id."""


def lock_key(product_id: UUID) -> int:
    """The second key of a product's advisory lock. Two products may share one: then they wait for each other."""
    return int.from_bytes(product_id.bytes[:4], "big", signed=True)


@dataclass(frozen=True, slots=True)
class Wish:
    """An item of a wishlist. Times are aware and in UTC."""

    id: UUID
    product_id: UUID
    added_at: datetime
    priority: int | None
    notes: str | None
    target_price_minor: int | None
    target_currency: str | None
    min_discount_percent: int | None

    @property
    def conditions(self) -> Conditions:
        return Conditions(self.target_price_minor, self.target_currency, self.min_discount_percent)


WISH_COLUMNS = (
    col(_I.id),
    col(_I.product_id),
    col(_I.added_at),
    col(_I.priority),
    col(_I.notes),
    col(_I.target_price_minor),
    col(_I.target_currency),
    col(_I.min_discount_percent),
)
PRICE_COLUMNS = (
    col(_P.product_id),
    col(_P.price_minor),
    col(_P.currency),
    col(_P.discount_percent),
    col(_P.sale_id),
    # What an older release wrote may be infinite, which is no time that anything can be compared with.
    case((and_(col(_P.sale_ends_at) >= EARLIEST, col(_P.sale_ends_at) < LATEST), col(_P.sale_ends_at))).label(
        "sale_ends_at"
    ),
    col(_P.said_at),
)
WISH_ORDER = (col(_I.priority).asc().nulls_last(), col(_I.added_at), col(_I.id))
"""The order of a wishlist (contract, section 3.5)."""

_chosen = {
    "priority": bindparam("new_priority", type_=Integer),
    "notes": bindparam("new_notes", type_=String),
    "target_price_minor": bindparam("new_target_price_minor", type_=BigInteger),
    "target_currency": bindparam("new_target_currency", type_=String),
    "min_discount_percent": bindparam("new_min_discount_percent", type_=SmallInteger),
}
_IDS = Statement(select(col(_I.id)).where(_OF_USER))
_FIND = Statement(select(*WISH_COLUMNS).where(_OF_USER, col(_I.id) == _ITEM))
_OF_PRODUCTS = Statement(select(*WISH_COLUMNS).where(_OF_USER, col(_I.product_id) == any_(array("product_ids", Uuid))))
_COUNT = Statement(select(func.count().label("n")).select_from(WishlistItem).where(_OF_USER))
_ADD = Statement(
    insert(WishlistItem)
    .values(
        user_id=user(),
        id=_ITEM,
        product_id=_PRODUCT,
        added_at=bindparam("added_at", type_=TIME),
        **_chosen,
    )
    .on_conflict_do_nothing(index_elements=["user_id", "product_id"])
)
_CHANGE = Statement(update(WishlistItem).where(_OF_USER, col(_I.id) == _ITEM).values(**_chosen))
_REMOVE = Statement(delete(WishlistItem).where(_OF_USER, col(_I.id) == any_(array("item_ids", Uuid))))
_ranked = rows("ranked", id=("item_ids", Uuid), priority=("priorities", Integer))
_ORDER = Statement(update(WishlistItem).where(_OF_USER, col(_I.id) == _ranked.c.id).values(priority=_ranked.c.priority))
# Whoever writes a price waits for those who have read the one before, and they for whoever is writing.
_HOLD_PRICE = Statement(select(func.pg_advisory_xact_lock_shared(SALES_LOCKS, bindparam("lock_key", type_=Integer))))
_PRICE = Statement(select(*PRICE_COLUMNS).where(col(_P.product_id) == _PRODUCT))
_NOTE_SALE = Statement(
    insert(SaleNotification)
    .values(user_id=user(), sale_id=bindparam("sale_id", type_=String), product_id=_PRODUCT)
    .on_conflict_do_nothing()
)


class WishlistStore:
    """One user's wishlist over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ids(self, user_id: UUID) -> set[UUID]:
        """The ids of all items."""
        return {row["id"] for row in await _IDS.all(self._connection, user_id=user_id)}

    async def find(self, user_id: UUID, item_id: UUID) -> Wish | None:
        row = await _FIND.first(self._connection, user_id=user_id, item_id=item_id)
        return Wish(*row.values()) if row else None

    async def of_products(self, user_id: UUID, product_ids: Collection[UUID]) -> list[Wish]:
        """The items of these products that there are."""
        found = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        return [Wish(*row.values()) for row in found]

    async def count(self, user_id: UUID) -> int:
        row = await _COUNT.first(self._connection, user_id=user_id)
        return row["n"] if row else 0

    async def add(self, user_id: UUID, wish: Wish) -> bool:
        """False when the product is on the list."""
        return await _ADD.run(self._connection, user_id=user_id, **_values(wish)) == 1

    async def change(self, user_id: UUID, wish: Wish) -> None:
        """Writes an item that is there."""
        await _CHANGE.run(self._connection, user_id=user_id, **_values(wish))

    async def remove(self, user_id: UUID, item_ids: Collection[UUID]) -> None:
        await _REMOVE.run(self._connection, user_id=user_id, item_ids=list(item_ids))

    async def order(self, user_id: UUID, item_ids: Sequence[UUID]) -> None:
        """Gives these items the priorities 1, 2, 3 …"""
        priorities = list(range(1, len(item_ids) + 1))
        await _ORDER.run(self._connection, user_id=user_id, item_ids=list(item_ids), priorities=priorities)

    async def hold_price(self, product_id: UUID) -> None:
        """From now until the transaction ends nobody changes what the product costs."""
        await _HOLD_PRICE.first(self._connection, lock_key=lock_key(product_id))

    async def price(self, product_id: UUID) -> Price | None:
        row = await _PRICE.first(self._connection, product_id=product_id)
        return Price(*row.values()) if row else None

    async def note_sale(self, user_id: UUID, sale_id: str, product_id: UUID) -> bool:
        """Notes that the user is told of a sale; False when they were already."""
        return await _NOTE_SALE.run(self._connection, user_id=user_id, sale_id=sale_id, product_id=product_id) == 1


def _values(wish: Wish) -> dict[str, Any]:
    return {
        "item_id": wish.id,
        "product_id": wish.product_id,
        "added_at": wish.added_at,
        **{f"new_{name}": getattr(wish, name) for name in _chosen},
    }
