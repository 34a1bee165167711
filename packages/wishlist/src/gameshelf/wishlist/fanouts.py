"""Telling all wishers of a sale, in bounded chunks that go on where they stopped.

A chunk is one short transaction: it takes a running fan-out, which nobody else can meanwhile, looks at the next wishers
in the order of users, and moves the cursor. Who was told is under a unique (user, sale), so a chunk that is done again
after a crash tells nobody twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist.models import HeldBackWisher, ProductPrice, SaleFanout, SaleNotification, WishlistItem
from gameshelf.wishlist.rules import Price
from gameshelf.wishlist.store import PRICE_COLUMNS
from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_F, _H, _I, _N = SaleFanout, HeldBackWisher, WishlistItem, SaleNotification
_PRODUCT = bindparam("product_id", type_=Uuid)
_PRICE_MINOR = bindparam("price_minor", type_=BigInteger)
_CURRENCY = bindparam("currency", type_=String)
_DISCOUNT = bindparam("discount", type_=SmallInteger)
_SALE = bindparam("sale_id", type_=String)

# What ``Conditions.are_met_by`` says, for many wishers at once.
_ARE_MET = and_(
    or_(
        col(_I.target_price_minor).is_(None),
        and_(col(_I.target_currency) == _CURRENCY, col(_I.target_price_minor) >= _PRICE_MINOR),
    ),
    or_(col(_I.min_discount_percent).is_(None), col(_I.min_discount_percent) <= _DISCOUNT),
)
_RUNNING = Statement(select(col(_F.product_id)).order_by(col(_F.advanced_at)).limit(bindparam("limit", type_=Integer)))
_TAKE = Statement(
    select(col(_F.id), col(_F.product_id), col(_F.cursor))
    .where(col(_F.product_id) == _PRODUCT)
    .with_for_update(skip_locked=True)
)
# A statement of its own: it sees what the one who had the row before has committed, and who writes prices waits now.
_PRICE = Statement(select(*PRICE_COLUMNS).where(col(ProductPrice.product_id) == _PRODUCT))
_WISHERS = Statement(
    select(col(_I.user_id), _ARE_MET.label("are_met"))
    .where(col(_I.product_id) == _PRODUCT, col(_I.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(_I.user_id))
    .limit(bindparam("limit", type_=Integer))
)
_noted = (
    insert(SaleNotification)
    .from_select(
        ["user_id", "sale_id", "product_id"],
        select(col(_I.user_id), _SALE, col(_I.product_id)).where(
            col(_I.product_id) == _PRODUCT, col(_I.user_id) == any_(array("user_ids", Uuid)), _ARE_MET
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(_N.user_id))
    .cte("noted")
)
_NOTE = Statement(
    select(col(_I.user_id), col(_I.id))
    .join(_noted, _noted.c.user_id == col(_I.user_id))
    .where(col(_I.product_id) == _PRODUCT)
)
_ADVANCE = Statement(
    update(SaleFanout)
    .where(col(_F.id) == bindparam("fanout_id", type_=Uuid), col(_F.cursor) == bindparam("before", type_=Uuid))
    .values(cursor=bindparam("after", type_=Uuid), advanced_at=func.clock_timestamp())
)
_FINISH = Statement(delete(SaleFanout).where(col(_F.id) == bindparam("fanout_id", type_=Uuid)))
_held_back = rows("held_back", user_id=("user_ids", Uuid))
_HOLD_BACK = Statement(
    insert(HeldBackWisher)
    .from_select(["user_id", "product_id"], select(_held_back.c.user_id, _PRODUCT), include_defaults=False)
    .on_conflict_do_nothing()
)
_HELD_BACK = Statement(
    select(col(_H.user_id), col(_H.product_id)).order_by(col(_H.since)).limit(bindparam("limit", type_=Integer))
)
_RELEASE = Statement(
    delete(HeldBackWisher).where(col(_H.user_id) == bindparam("user_id", type_=Uuid), col(_H.product_id) == _PRODUCT)
)
_N_KEY = (col(_N.user_id), col(_N.sale_id))
_PRUNE = Statement(
    delete(SaleNotification).where(
        tuple_(*_N_KEY).in_(
            select(*_N_KEY)
            .where(col(_N.notified_at) < bindparam("before", type_=TIME))
            .order_by(col(_N.notified_at))
            .limit(bindparam("limit", type_=Integer))
        )
    )
)


@dataclass(frozen=True, slots=True)
class Fanout:
    """A sale that is being told, and up to which user it has been."""

    id: UUID
    price: Price
    sale_id: str
    cursor: UUID


@dataclass(frozen=True, slots=True)
class Wishers:
    """The next wishers of a product in the order of users."""

    met: list[UUID]
    """Those whose conditions the price meets."""
    last: UUID | None
    """The last one that was looked at; None: there are no more."""


class SaleFanouts:
    """Running fan-outs over one connection that is inside a short transaction."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def running(self, limit: int) -> list[UUID]:
        """The products whose sales are being told, the one that has waited longest first."""
        return [row["product_id"] for row in await _RUNNING.all(self._connection, limit=limit)]

    async def take(self, product_id: UUID) -> Fanout | None:
        """The fan-out of a product; None without any, or while somebody else works on it.

        Until the transaction ends it is this one's, and its price stays. One whose sale has ended is dropped.
        """
        row = await _TAKE.first(self._connection, product_id=product_id)
        if row is None:
            return None
        found = await _PRICE.first(self._connection, product_id=product_id)
        price = Price(*found.values()) if found else None
        if price and price.sale_id is not None and price.is_sale(self._clock()):
            return Fanout(row["id"], price, price.sale_id, row["cursor"])
        await _FINISH.run(self._connection, fanout_id=row["id"])
        return None

    async def wishers(self, fanout: Fanout, limit: int) -> Wishers:
        """Looks at the next ``limit`` wishers, whether or not their conditions are met."""
        found = await _WISHERS.all(self._connection, after=fanout.cursor, limit=limit, **_of_price(fanout.price))
        met = [row["user_id"] for row in found if row["are_met"]]
        return Wishers(met, found[-1]["user_id"] if found else None)

    async def note(self, fanout: Fanout, user_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Notes that these users are told; of those that were not before, and still wish, the item that they wish by.

        The caller holds the locks of the users.
        """
        found = await _NOTE.all(
            self._connection, user_ids=list(user_ids), sale_id=fanout.sale_id, **_of_price(fanout.price)
        )
        return {row["user_id"]: row["id"] for row in found}

    async def advance(self, fanout: Fanout, through: UUID) -> bool:
        """Everybody up to ``through`` has been told; False when somebody else has moved on, or a newer price came."""
        before = fanout.cursor
        return await _ADVANCE.run(self._connection, fanout_id=fanout.id, before=before, after=through) == 1

    async def hold_back(self, fanout: Fanout, user_ids: Collection[UUID]) -> None:
        """Keeps wishers who can't be told with the others. The caller moves the cursor in the same transaction."""
        await _HOLD_BACK.run(self._connection, user_ids=list(user_ids), product_id=fanout.price.product_id)

    async def held_back(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Wishers to be told by ``WishlistService.tell_of_sale``, and then to ``release``: user and product."""
        return [(row["user_id"], row["product_id"]) for row in await _HELD_BACK.all(self._connection, limit=limit)]

    async def release(self, user_id: UUID, product_id: UUID) -> None:
        """The wisher was told, in this transaction, or need not be."""
        await _RELEASE.run(self._connection, user_id=user_id, product_id=product_id)

    async def finish(self, fanout: Fanout) -> None:
        """There is nobody left to tell."""
        await _FINISH.run(self._connection, fanout_id=fanout.id)

    async def forget_told(self, before: datetime, limit: int) -> int:
        """Forgets who was told of sales before a time; how many it were."""
        return await _PRUNE.run(self._connection, before=before, limit=limit)


def _of_price(price: Price) -> dict[str, object]:
    return {
        "product_id": price.product_id,
        "price_minor": price.price_minor,
        "currency": price.currency,
        "discount": price.discount_percent,
    }
