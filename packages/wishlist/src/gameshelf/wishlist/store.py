"""All SQL of wishlists. Whoever writes has serialised the user before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, Erasure, array, rows, user
from gameshelf.wishlist.models import (
    CurrencyPrice,
    HeldBackWisher,
    PriceFanout,
    PriceNotification,
    SaleNotification,
    WishlistItem,
)
from gameshelf.wishlist.release_before import note_told, was_told
from gameshelf.wishlist.rules import Conditions, Cut, Price, notification_id
from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    String,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_I, _C, _N, _F, _H = WishlistItem, CurrencyPrice, PriceNotification, PriceFanout, HeldBackWisher
_PRODUCT = bindparam("product_id", type_=Uuid)
_ITEM = bindparam("item_id", type_=Uuid)
_OF_USER = col(_I.user_id) == user()

ERASURE = Erasure((HeldBackWisher, WishlistItem, PriceNotification, SaleNotification))

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
    cut_seen_at: datetime | None = None
    """Lasting cuts up to the one that was heard then came before these conditions."""

    @property
    def conditions(self) -> Conditions:
        return Conditions(self.target_price_minor, self.target_currency, self.min_discount_percent)

    def came_before(self, cut: Cut) -> bool:
        """Whether the wish, as it stands, was there when a price was lowered for good."""
        return self.added_at <= cut.heard_at and (self.cut_seen_at is None or self.cut_seen_at < cut.heard_at)


WISH_COLUMNS = (
    col(_I.id),
    col(_I.product_id),
    col(_I.added_at),
    col(_I.priority),
    col(_I.notes),
    col(_I.target_price_minor),
    col(_I.target_currency),
    col(_I.min_discount_percent),
    col(_I.cut_seen_at),
)
_PRICE = ("product_id", "price_minor", "currency", "discount_percent", "sale_id", "sale_ends_at", "said_at")
_CUT = ("cut_from_minor", "cut_said_at", "cut_heard_at")
PRICE_COLUMNS = tuple(getattr(_C, name) for name in (*_PRICE, *_CUT))
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
_CHANGE = Statement(
    update(WishlistItem)
    .where(_OF_USER, col(_I.id) == _ITEM)
    .values(**_chosen, cut_seen_at=bindparam("new_cut_seen_at", type_=TIME))
)
_REMOVE = Statement(delete(WishlistItem).where(_OF_USER, col(_I.id) == any_(array("item_ids", Uuid))))
_ranked = rows("ranked", id=("item_ids", Uuid), priority=("priorities", Integer))
_ORDER = Statement(update(WishlistItem).where(_OF_USER, col(_I.id) == _ranked.c.id).values(priority=_ranked.c.priority))
# Whoever writes a price waits for those who have read the one before, and they for whoever is writing.
_HOLD_PRICE = Statement(select(func.pg_advisory_xact_lock_shared(SALES_LOCKS, bindparam("lock_key", type_=Integer))))
_PRICES = Statement(select(*PRICE_COLUMNS).where(col(_C.product_id) == _PRODUCT))
# A wisher whom a fan-out has not reached yet, or has held back.
_IS_TO_BE_TOLD = Statement(
    select(
        or_(
            select(literal(1))
            .where(
                col(_F.product_id) == _PRODUCT,
                col(_F.currency) == bindparam("currency", type_=String),
                col(_F.cursor) < user(),
            )
            .exists(),
            select(literal(1)).where(col(_H.user_id) == user(), col(_H.product_id) == _PRODUCT).exists(),
        ).label("is_to_be_told")
    )
)
_SALE = bindparam("sale_id", type_=String)
_one = select(user().label("user_id"), bindparam("notification_id", type_=Uuid).label("id")).subquery("one")
_noted = (
    insert(PriceNotification)
    .from_select(
        ["user_id", "id", "product_id", "sale_id"],
        select(_one.c.user_id, _one.c.id, _PRODUCT, _SALE).where(
            or_(_SALE.is_(None), ~was_told(_one.c.user_id, _SALE, _PRODUCT))
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(_N.user_id))
    .cte("noted")
)
_NOTE = Statement(select(_noted.c.user_id).add_cte(note_told(_noted, _SALE, _PRODUCT)))


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

    async def prices(self, product_id: UUID) -> dict[str, Price]:
        """What the product costs, by currency."""
        return await prices_of(self._connection, product_id)

    async def is_to_be_told(self, user_id: UUID, price: Price) -> bool:
        """Whether the wishers of this price are being told, and this one has not had their turn yet.

        The caller holds the price.
        """
        found = await _IS_TO_BE_TOLD.first(
            self._connection, user_id=user_id, product_id=price.product_id, currency=price.currency
        )
        return bool(found and found["is_to_be_told"])

    async def note(self, user_id: UUID, price: Price) -> bool:
        """Notes that the user is told of a sale or a lasting cut; False when they were already."""
        noted = await _NOTE.first(
            self._connection,
            user_id=user_id,
            notification_id=notification_id(price, user_id),
            product_id=price.product_id,
            sale_id=None if price.cut else price.sale_id,
        )
        return noted is not None


async def prices_of(connection: Connection, product_id: UUID) -> dict[str, Price]:
    """What a product costs, by currency. One round trip."""
    found = [price_of(row) for row in await _PRICES.all(connection, product_id=product_id)]
    return {price.currency: price for price in found}


def price_of(row: Any) -> Price:
    """A row's ``PRICE_COLUMNS`` as a price."""
    cut = Cut(*(row[name] for name in _CUT)) if row["cut_from_minor"] is not None else None
    return Price(**{name: row[name] for name in _PRICE}, cut=cut)


def _values(wish: Wish) -> dict[str, Any]:
    return {
        "item_id": wish.id,
        "product_id": wish.product_id,
        "added_at": wish.added_at,
        **{f"new_{name}": getattr(wish, name) for name in (*_chosen, "cut_seen_at")},
    }
