"""Why a wisher was notified of a product's price, or was not: everything that decides it, for support."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.wishlist._models import (
    CurrencyPrice,
    HeldBackWisher,
    PriceFanout,
    PriceNotification,
    SaleNotification,
    WishlistItem,
)
from gameshelf.wishlist._rules import DEFAULT_CURRENCY, Price, UnmetCondition, unmet, wishers_currency
from gameshelf.wishlist._rules import notification_id as id_of_notification
from gameshelf.wishlist._store.prices import PRICE_COLUMNS, PriceReader
from gameshelf.wishlist._store.wishes import WISH_COLUMNS, Wish
from sqlalchemy import Integer, Uuid, and_, bindparam, cast, literal, null, select, union_all
from sqlmodel import col

MOST_NOTIFICATIONS = 20
"""How many notifications of a product are read at most, the newest."""


@dataclass(frozen=True, slots=True)
class SentNotification:
    """A notification of a product that the user got. Of the release before there is no id."""

    notification_id: UUID | None
    sale_id: str | None
    """None: of a lasting cut."""
    notified_at: datetime


@dataclass(frozen=True, slots=True)
class PriceVerdict:
    """What a price of the product means for this wisher."""

    price: Price
    is_seen: bool
    """Whether it is in the currency in which the wisher sees the product."""
    unmet: Sequence[UnmetCondition]
    """Why the wisher is not notified of it; empty where they are."""
    sent: SentNotification | None
    """The notification that the wisher got of exactly this sale or cut."""
    is_pending: bool
    """Whether its wishers are being notified, and this one has not been reached yet."""


@dataclass(frozen=True, slots=True)
class WishExplanation:
    """A product as one wisher sees it."""

    wish: Wish | None
    """None: the product is not on the list."""
    prices: Sequence[PriceVerdict]
    """By currency."""
    notifications: Sequence[SentNotification]
    """The newest first, at most ``MOST_NOTIFICATIONS``, also of earlier sales."""


_I, _C, _F, _H = WishlistItem, CurrencyPrice, PriceFanout, HeldBackWisher
_N, _OLD = PriceNotification, SaleNotification
_PRODUCT = bindparam("product_id", type_=Uuid)
_WISH_OF_PRODUCT = Statement(select(*WISH_COLUMNS).where(col(_I.user_id) == user(), col(_I.product_id) == _PRODUCT))
_PRICES = Statement(
    select(*PRICE_COLUMNS, col(_F.cursor))
    .select_from(CurrencyPrice)
    .outerjoin(PriceFanout, and_(col(_F.product_id) == col(_C.product_id), col(_F.currency) == col(_C.currency)))
    .where(col(_C.product_id) == _PRODUCT)
    .order_by(col(_C.currency))
)
_sent: Any = select(col(_N.id).label("notification_id"), col(_N.sale_id), col(_N.notified_at)).where(
    col(_N.user_id) == user(), col(_N.product_id) == _PRODUCT
)
# What only the release before has sent.
_sent_before = select(cast(null(), Uuid), col(_OLD.sale_id), col(_OLD.notified_at)).where(
    col(_OLD.user_id) == user(),
    col(_OLD.product_id) == _PRODUCT,
    ~select(literal(1))
    .where(col(_N.user_id) == user(), col(_N.product_id) == _PRODUCT, col(_N.sale_id) == col(_OLD.sale_id))
    .exists(),
)
_all_sent = union_all(_sent, _sent_before).subquery("sent")
_SENT = Statement(
    select(_all_sent.c.notification_id, _all_sent.c.sale_id, _all_sent.c.notified_at)
    .order_by(_all_sent.c.notified_at.desc())
    .limit(bindparam("limit", type_=Integer))
)
_HELD_BACK = Statement(select(col(_H.since)).where(col(_H.user_id) == user(), col(_H.product_id) == _PRODUCT))
_WISH = RowReader(Wish, _WISH_OF_PRODUCT)
_PRICE = PriceReader(_PRICES, others=("cursor",))
_SENT_NOTIFICATION = RowReader(SentNotification, _SENT)


class WishlistSupportQueries:
    """Reads for support over one connection."""

    def __init__(self, connection: Connection, default_currency: str = DEFAULT_CURRENCY) -> None:
        self._connection = connection
        self._default_currency = default_currency

    async def explain(self, user_id: UUID, product_id: UUID, now: datetime) -> WishExplanation:
        """Explains each price of a product to one wisher. Four round trips; in a snapshot they show one moment."""
        of = {"user_id": user_id, "product_id": product_id}
        wish = _WISH.read_optional(await _WISH_OF_PRODUCT.first(self._connection, **of))
        rows = await _PRICES.all(self._connection, product_id=product_id)
        sent = _SENT_NOTIFICATION.read_all(await _SENT.all(self._connection, **of, limit=MOST_NOTIFICATIONS))
        is_held_back = await _HELD_BACK.first(self._connection, **of) is not None
        if wish is None:
            return WishExplanation(None, [PriceVerdict(_PRICE.read(row), False, (), None, False) for row in rows], sent)
        prices = {row["currency"]: _PRICE.read(row) for row in rows}
        seen = wishers_currency(wish.target_currency, prices.keys(), self._default_currency)
        by_id = {one.notification_id: one for one in sent if one.notification_id}
        by_sale = {one.sale_id: one for one in sent if one.sale_id and not one.notification_id}
        verdicts = []
        for row in rows:
            price = prices[row["currency"]]
            is_seen = price.currency == seen
            came_before = price.cut is None or wish.came_before(price.cut)
            verdicts.append(
                PriceVerdict(
                    price,
                    is_seen,
                    unmet(price, wish.conditions, now, is_seen=is_seen, came_before=came_before),
                    by_id.get(id_of_notification(price, user_id)) or by_sale.get(price.sale_id or ""),
                    is_seen and (is_held_back or (row["cursor"] is not None and row["cursor"] < user_id)),
                )
            )
        return WishExplanation(wish, verdicts, sent)
