"""A user's wishlist with the current prices, and its length."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, prefixed, user
from gameshelf.wishlist._models import CurrencyPrice, WishlistItem
from gameshelf.wishlist._rules import DEFAULT_CURRENCY, Price
from gameshelf.wishlist._store.prices import PRICE_COLUMNS, PriceReader
from gameshelf.wishlist._store.wishes import WISH_COLUMNS, WISH_ORDER, Wish
from sqlalchemy import BigInteger, Integer, String, Uuid, and_, bindparam, func, or_, select, true
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class PricedWish:
    """An item of a wishlist, and the current price of its product, as far as that is known."""

    wish: Wish
    price: Price | None


_I, _C = WishlistItem, CurrencyPrice
# ``rules.wishers_currency`` for each item.
_price = (
    select(*PRICE_COLUMNS)
    .where(
        col(_C.product_id) == col(_I.product_id),
        or_(col(_I.target_currency).is_(None), col(_C.currency) == col(_I.target_currency)),
    )
    .order_by(col(_C.currency) != bindparam("default_currency", type_=String), col(_C.currency))
    .limit(1)
    .lateral("price")
)
_priced = (
    select(
        *WISH_COLUMNS,
        *prefixed("price_", _price.c),
        func.count().over().label("total"),
    )
    .select_from(WishlistItem)
    .outerjoin(_price, true())
    .where(col(_I.user_id) == user())
)
_PAGE = Statement(
    _priced.order_by(*WISH_ORDER).limit(bindparam("limit", type_=Integer)).offset(bindparam("offset", type_=BigInteger))
)
_ALL = Statement(_priced.order_by(*WISH_ORDER))
_OF_ID = Statement(_priced.where(col(_I.id) == bindparam("item_id", type_=Uuid)))
# ``Price.is_sale``.
_is_sale = and_(
    _price.c.discount_percent > 0,
    _price.c.sale_id.is_not(None),
    or_(_price.c.sale_ends_at.is_(None), _price.c.sale_ends_at > bindparam("now", type_=TIME)),
)
_ON_SALE = Statement(
    _priced.where(_is_sale)
    .order_by(_price.c.discount_percent.desc(), *WISH_ORDER)
    .limit(bindparam("limit", type_=Integer))
)
_PRICE = PriceReader(_PAGE, _ALL, _OF_ID, _ON_SALE, prefix="price_")
_WISH = RowReader(Wish, _PAGE, _ALL, _OF_ID, _ON_SALE, others=(*_PRICE.columns, "total"))
_COUNT = Statement(select(func.count().label("n")).select_from(WishlistItem).where(col(_I.user_id) == user()))


async def count_wishes(connection: Connection, user_id: UUID) -> int:
    """The number of products on a user's wishlist. One round trip."""
    row = await _COUNT.first(connection, user_id=user_id)
    return row["n"] if row else 0


class WishlistQueries:
    """Reads of a user's wishlist over one connection, which needs no transaction.

    Prices are in the currency of an item's target, else in ``default_currency`` where the product has one in it.
    """

    def __init__(self, connection: Connection, default_currency: str = DEFAULT_CURRENCY) -> None:
        self._connection = connection
        self._default_currency = default_currency

    async def items(self, user_id: UUID, page: Page) -> Slice[PricedWish]:
        """One page of the list in its order. One round trip; past the end a second one counts."""
        found = await _PAGE.all(
            self._connection,
            user_id=user_id,
            default_currency=self._default_currency,
            limit=page.limit,
            offset=page.offset,
        )
        if found:
            return Slice([_priced_wish(row) for row in found], found[0]["total"])
        return Slice([], await count_wishes(self._connection, user_id) if page.number > 1 else 0)

    async def all_items(self, user_id: UUID) -> list[PricedWish]:
        """The whole list in its order."""
        found = await _ALL.all(self._connection, user_id=user_id, default_currency=self._default_currency)
        return [_priced_wish(row) for row in found]

    def lookup_on_sale(self, user_id: UUID, now: datetime, limit: int) -> BoundStatement:
        """Returns what ``on_sale`` reads."""
        return _ON_SALE.bind(user_id=user_id, default_currency=self._default_currency, now=now, limit=limit)

    async def on_sale(self, user_id: UUID, now: datetime, limit: int) -> Slice[PricedWish]:
        """The items whose current price is that of a sale, the greatest discount first: at most ``limit`` of them, and
        how many there are.
        """
        found = await self.lookup_on_sale(user_id, now, limit).all(self._connection)
        return Slice([_priced_wish(row) for row in found], found[0]["total"] if found else 0)

    async def item(self, user_id: UUID, item_id: UUID) -> PricedWish | None:
        """One item; None when the user has none of that id."""
        row = await _OF_ID.first(
            self._connection, user_id=user_id, default_currency=self._default_currency, item_id=item_id
        )
        return _priced_wish(row) if row else None


def _priced_wish(row: Record) -> PricedWish:
    has_price = row["price_product_id"] is not None
    return PricedWish(_WISH.read(row), _PRICE.read(row) if has_price else None)
