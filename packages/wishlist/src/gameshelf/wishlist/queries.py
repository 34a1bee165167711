"""Reading wishlists: plain SQL to plain values. Nothing here writes or decides."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.sql import user
from gameshelf.wishlist.models import ProductPrice, WishlistItem
from gameshelf.wishlist.rules import Price
from gameshelf.wishlist.store import PRICE_COLUMNS, WISH_COLUMNS, WISH_ORDER, Wish
from sqlalchemy import BigInteger, Integer, Uuid, bindparam, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class PricedWish:
    """An item of a wishlist, and what its product costs now, as far as that is known."""

    wish: Wish
    price: Price | None


_I = WishlistItem
_priced = (
    select(*WISH_COLUMNS, *PRICE_COLUMNS, func.count().over().label("total"))
    .outerjoin(ProductPrice, col(ProductPrice.product_id) == col(_I.product_id))
    .where(col(_I.user_id) == user())
)
_PAGE = Statement(
    _priced.order_by(*WISH_ORDER).limit(bindparam("limit", type_=Integer)).offset(bindparam("offset", type_=BigInteger))
)
_ALL = Statement(_priced.order_by(*WISH_ORDER))
_FIND = Statement(_priced.where(col(_I.id) == bindparam("item_id", type_=Uuid)))
_COUNT = Statement(select(func.count().label("n")).select_from(WishlistItem).where(col(_I.user_id) == user()))
_WISH = len(WISH_COLUMNS)


class WishlistQueries:
    """Reads of a user's wishlist over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def items(self, user_id: UUID, page: Page) -> Slice[PricedWish]:
        """One page of the list in its order. One round trip; past the end a second one counts."""
        found = await _PAGE.all(self._connection, user_id=user_id, limit=page.limit, offset=page.offset)
        if found:
            return Slice([_priced_wish(row) for row in found], found[0]["total"])
        row = await _COUNT.first(self._connection, user_id=user_id) if page.number > 1 else None
        return Slice([], row["n"] if row else 0)

    async def all(self, user_id: UUID) -> list[PricedWish]:
        """The whole list in its order."""
        return [_priced_wish(row) for row in await _ALL.all(self._connection, user_id=user_id)]

    async def item(self, user_id: UUID, item_id: UUID) -> PricedWish | None:
        """One item; None when the user has none of that id."""
        row = await _FIND.first(self._connection, user_id=user_id, item_id=item_id)
        return _priced_wish(row) if row else None


def _priced_wish(row: Record) -> PricedWish:
    values = tuple(row.values())
    price = values[_WISH:-1]
    return PricedWish(Wish(*values[:_WISH]), Price(*price) if price[0] else None)
