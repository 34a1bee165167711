"""The items of one user's wishlist, and the notifications of prices that the user got."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.wishlist._models import HeldBackWisher, PriceFanout, PriceNotification, WishlistItem
from gameshelf.wishlist._rules import Conditions, Cut, Price, notification_id
from gameshelf.wishlist._store.release_before import record_for_release_before, was_notified_by_release_before
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

_I, _N, _F, _H = WishlistItem, PriceNotification, PriceFanout, HeldBackWisher
_PRODUCT = bindparam("product_id", type_=Uuid)
_ITEM = bindparam("item_id", type_=Uuid)
_OF_USER = col(_I.user_id) == user()


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
    """Lasting cuts that were received until then came before these conditions."""

    @property
    def conditions(self) -> Conditions:
        return Conditions(self.target_price_minor, self.target_currency, self.min_discount_percent)

    def came_before(self, cut: Cut) -> bool:
        """Whether the wish, as it is now, was there when a price was lowered for good."""
        is_older = self.cut_seen_at is None or self.cut_seen_at < cut.received_at
        return self.added_at <= cut.received_at and is_older


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
WISH_ORDER = (col(_I.priority).asc().nulls_last(), col(_I.added_at), col(_I.id))
"""The order of a wishlist (contract, section 3.5)."""

_chosen = {
    "priority": bindparam("new_priority", type_=Integer),
    "notes": bindparam("new_notes", type_=String),
    "target_price_minor": bindparam("new_target_price_minor", type_=BigInteger),
    "target_currency": bindparam("new_target_currency", type_=String),
    "min_discount_percent": bindparam("new_min_discount_percent", type_=SmallInteger),
}
_ITEM_IDS = Statement(select(col(_I.id)).where(_OF_USER))
_OF_ID = Statement(select(*WISH_COLUMNS).where(_OF_USER, col(_I.id) == _ITEM))
_OF_PRODUCTS = Statement(select(*WISH_COLUMNS).where(_OF_USER, col(_I.product_id) == any_(array("product_ids", Uuid))))
_WISH = RowReader(Wish, _OF_ID, _OF_PRODUCTS)
_COUNT = Statement(select(func.count().label("n")).select_from(WishlistItem).where(_OF_USER))
_ADD = Statement(
    insert(WishlistItem).values(
        user_id=user(),
        id=_ITEM,
        product_id=_PRODUCT,
        added_at=bindparam("added_at", type_=TIME),
        **_chosen,
    )
)
_CHANGE = Statement(
    update(WishlistItem)
    .where(_OF_USER, col(_I.id) == _ITEM)
    .values(**_chosen, cut_seen_at=bindparam("new_cut_seen_at", type_=TIME))
)
_REMOVE = Statement(delete(WishlistItem).where(_OF_USER, col(_I.id) == any_(array("item_ids", Uuid))))
_ranked = rows("ranked", id=("item_ids", Uuid), priority=("priorities", Integer))
_ORDER = Statement(update(WishlistItem).where(_OF_USER, col(_I.id) == _ranked.c.id).values(priority=_ranked.c.priority))
# A wisher whom a fan-out has not reached yet, or has held back.
_IS_NOTIFICATION_PENDING = Statement(
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
        ).label("is_pending")
    )
)
_SALE = bindparam("sale_id", type_=String)
_user = select(user().label("user_id"), bindparam("notification_id", type_=Uuid).label("id")).subquery("notified_user")
_recorded = (
    insert(PriceNotification)
    .from_select(
        ["user_id", "id", "product_id", "sale_id"],
        select(_user.c.user_id, _user.c.id, _PRODUCT, _SALE).where(
            or_(_SALE.is_(None), ~was_notified_by_release_before(_user.c.user_id, _SALE, _PRODUCT))
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(_N.user_id))
    .cte("recorded")
)
_RECORD_NOTIFICATION = Statement(
    select(_recorded.c.user_id).add_cte(record_for_release_before(_recorded, _SALE, _PRODUCT))
)


def lookup_new(user_id: UUID, product_id: UUID) -> list[BoundStatement]:
    """What is read before a product is added: whether it is on the list, and the length of the list."""
    return [_OF_PRODUCTS.bind(user_id=user_id, product_ids=[product_id]), _COUNT.bind(user_id=user_id)]


class WishlistStore:
    """One user's wishlist over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def item_ids(self, user_id: UUID) -> set[UUID]:
        """The ids of all items."""
        return {row["id"] for row in await _ITEM_IDS.all(self._connection, user_id=user_id)}

    async def item(self, user_id: UUID, item_id: UUID) -> Wish | None:
        """The item of this id; None where the user has none."""
        return _WISH.read_optional(await _OF_ID.first(self._connection, user_id=user_id, item_id=item_id))

    async def items_of_products(self, user_id: UUID, product_ids: Collection[UUID]) -> list[Wish]:
        """Those of these products that are on the list."""
        rows = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        return _WISH.read_all(rows)

    async def count_items(self, user_id: UUID) -> int:
        """The length of the list."""
        row = await _COUNT.first(self._connection, user_id=user_id)
        return row["n"] if row else 0

    async def add_item(self, user_id: UUID, wish: Wish) -> None:
        """Writes a new item. Raises UniqueViolationError if the product is on the list."""
        await _ADD.write(self._connection, user_id=user_id, **_values(wish))

    async def change_item(self, user_id: UUID, wish: Wish) -> None:
        """Writes an item that is on the list."""
        await _CHANGE.write(self._connection, user_id=user_id, **_values(wish))

    async def remove_items(self, user_id: UUID, item_ids: Collection[UUID]) -> None:
        """Deletes items."""
        await _REMOVE.write(self._connection, user_id=user_id, item_ids=list(item_ids))

    async def set_order(self, user_id: UUID, item_ids: Sequence[UUID]) -> None:
        """Gives these items the priorities 1, 2, 3 …"""
        priorities = list(range(1, len(item_ids) + 1))
        await _ORDER.write(self._connection, user_id=user_id, item_ids=list(item_ids), priorities=priorities)

    async def is_notification_pending(self, user_id: UUID, price: Price) -> bool:
        """Whether the wishers of this price are being notified, and this one has not been reached yet.

        The caller has locked the price.
        """
        found = await _IS_NOTIFICATION_PENDING.first(
            self._connection, user_id=user_id, product_id=price.product_id, currency=price.currency
        )
        return bool(found and found["is_pending"])

    async def record_notification(self, user_id: UUID, price: Price) -> bool:
        """Records that the user is notified of a sale or a lasting cut; False when they were already."""
        recorded = await _RECORD_NOTIFICATION.first(
            self._connection,
            user_id=user_id,
            notification_id=notification_id(price, user_id),
            product_id=price.product_id,
            sale_id=None if price.cut else price.sale_id,
        )
        return recorded is not None


def _values(wish: Wish) -> dict[str, Any]:
    return {
        "item_id": wish.id,
        "product_id": wish.product_id,
        "added_at": wish.added_at,
        **{f"new_{name}": getattr(wish, name) for name in (*_chosen, "cut_seen_at")},
    }
