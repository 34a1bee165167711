"""Fan-outs: notify all wishers of a sale or a lasting cut, in bounded chunks that resume where the last one stopped.

A chunk is one short transaction: it locks a running fan-out of a product and currency, looks at the next wishers in the
order of users, and moves the cursor. A notification is recorded under a unique id made of user, sale and product, so a
chunk that is repeated after a crash notifies nobody twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from gameshelf.wishlist._models import HeldBackWisher, PriceFanout, PriceNotification, SaleNotification, WishlistItem
from gameshelf.wishlist._rules import DEFAULT_CURRENCY, Price, discount_of, notification_id, wishers_currency
from gameshelf.wishlist._store.prices import PriceStore
from gameshelf.wishlist._store.release_before import (
    ReleaseBefore,
    record_for_release_before,
    was_notified_by_release_before,
)
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    SmallInteger,
    String,
    Uuid,
    and_,
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

_F, _H, _I, _N = PriceFanout, HeldBackWisher, WishlistItem, PriceNotification
_PRODUCT = bindparam("product_id", type_=Uuid)
_PRICE_MINOR = bindparam("price_minor", type_=BigInteger)
_CURRENCY = bindparam("currency", type_=String)
_DISCOUNT = bindparam("discount", type_=SmallInteger)
_SALE = bindparam("sale_id", type_=String)
_RECEIVED_AT = bindparam("received_at", type_=TIME)

# ``wishers_currency``, ``Conditions.are_met_by`` and ``Wish.came_before`` for many wishers at once.
_ARE_MET = and_(
    or_(
        and_(col(_I.target_price_minor).is_(None), bindparam("without_target", type_=Boolean)),
        and_(col(_I.target_currency) == _CURRENCY, col(_I.target_price_minor) >= _PRICE_MINOR),
    ),
    or_(col(_I.min_discount_percent).is_(None), col(_I.min_discount_percent) <= _DISCOUNT),
    or_(
        _RECEIVED_AT.is_(None),
        and_(
            col(_I.added_at) <= _RECEIVED_AT,
            or_(col(_I.cut_seen_at).is_(None), col(_I.cut_seen_at) < _RECEIVED_AT),
        ),
    ),
)
_RUNNING = Statement(
    select(col(_F.product_id), col(_F.currency)).order_by(col(_F.advanced_at)).limit(bindparam("limit", type_=Integer))
)
_LOCK = Statement(
    select(col(_F.id), col(_F.cursor))
    .where(col(_F.product_id) == _PRODUCT, col(_F.currency) == _CURRENCY)
    .with_for_update(skip_locked=True)
)
_wishers = (
    select(col(_I.user_id), _ARE_MET.label("are_met"))
    .where(col(_I.product_id) == _PRODUCT, col(_I.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(_I.user_id))
    .limit(bindparam("limit", type_=Integer))
)
_WISHERS = Statement(_wishers)
_WISHERS_WITH_TARGET = Statement(
    _wishers.where(col(_I.target_currency).is_not(None), col(_I.target_currency) == _CURRENCY)
)
_notified = rows("notified", user_id=("user_ids", Uuid), id=("notification_ids", Uuid))
_recorded = (
    insert(PriceNotification)
    .from_select(
        ["user_id", "id", "product_id", "sale_id"],
        select(col(_I.user_id), _notified.c.id, col(_I.product_id), _SALE)
        .join(_notified, _notified.c.user_id == col(_I.user_id))
        .where(
            col(_I.product_id) == _PRODUCT,
            _ARE_MET,
            or_(_SALE.is_(None), ~was_notified_by_release_before(col(_I.user_id), _SALE, _PRODUCT)),
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(_N.user_id))
    .cte("recorded")
)
_RECORD = Statement(
    select(col(_I.user_id), col(_I.id))
    .join(_recorded, _recorded.c.user_id == col(_I.user_id))
    .where(col(_I.product_id) == _PRODUCT)
    .add_cte(record_for_release_before(_recorded, _SALE, _PRODUCT))
)
_ADVANCE = Statement(
    update(PriceFanout)
    .where(col(_F.id) == bindparam("fanout_id", type_=Uuid), col(_F.cursor) == bindparam("before", type_=Uuid))
    .values(cursor=bindparam("after", type_=Uuid), advanced_at=func.now())
)
_FINISH = Statement(delete(PriceFanout).where(col(_F.id) == bindparam("fanout_id", type_=Uuid)))
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


def _prune(table: type[PriceNotification | SaleNotification]) -> Statement:
    key = list(table.__table__.primary_key.columns)  # type: ignore[union-attr]
    old = (
        select(*key)
        .where(col(table.notified_at) < bindparam("before", type_=TIME))
        .order_by(col(table.notified_at))
        .limit(bindparam("limit", type_=Integer))
    )
    return Statement(delete(table).where(tuple_(*key).in_(old)))


_PRUNE = (_prune(PriceNotification), _prune(SaleNotification))


@dataclass(frozen=True, slots=True)
class Fanout:
    """A sale or a lasting cut that wishers are being notified of, and the user up to whom that is done."""

    id: UUID
    price: Price
    cursor: UUID
    is_default: bool
    """Whether wishers without a target see the product's price in this currency."""

    @property
    def is_for_targets_alone(self) -> bool:
        """Whether it concerns only users who have set a target in its currency."""
        return self.price.cut is not None or not self.is_default


@dataclass(frozen=True, slots=True)
class Wishers:
    """The next wishers of a product in the order of users."""

    met: list[UUID]
    """Those whose conditions the price meets."""
    last: UUID | None
    """The last one that was looked at; None: there are no more."""


class SaleFanouts:
    """Running fan-outs over one connection that is inside a short transaction."""

    def __init__(
        self, connection: Connection, clock: Clock = utc_now, default_currency: str = DEFAULT_CURRENCY
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._default_currency = default_currency

    async def running(self, limit: int) -> list[tuple[UUID, str]]:
        """Products and currencies with a running fan-out, the one that has waited longest first."""
        return [(row["product_id"], row["currency"]) for row in await _RUNNING.all(self._connection, limit=limit)]

    async def lock_fanout(self, product_id: UUID, currency: str) -> Fanout | None:
        """Locks the fan-out of a product and currency until the transaction ends, and so its price.

        None where there is none, or somebody else has locked it. One whose sale has ended is deleted.
        """
        row = await _LOCK.first(self._connection, product_id=product_id, currency=currency)
        if row is None:
            return None
        # A statement of its own sees what the last holder of the row has committed. The lock makes writers of the price
        # wait.
        prices = await PriceStore(self._connection).prices(product_id)
        price = prices.get(currency)
        if price and price.is_announced(self._clock()):
            is_default = wishers_currency(None, prices.keys(), self._default_currency) == currency
            return Fanout(row["id"], price, row["cursor"], is_default)
        await self._finish(row["id"], product_id)
        return None

    async def wishers(self, fanout: Fanout, limit: int) -> Wishers:
        """Looks at the next ``limit`` wishers whom the price may concern, whether or not their conditions are met."""
        statement = _WISHERS_WITH_TARGET if fanout.is_for_targets_alone else _WISHERS
        found = await statement.all(self._connection, after=fanout.cursor, limit=limit, **_conditions(fanout))
        met = [row["user_id"] for row in found if row["are_met"]]
        return Wishers(met, found[-1]["user_id"] if found else None)

    async def record_notifications(self, fanout: Fanout, user_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Records that these users are notified. Returns those that were not before, and still wish for the product,
        each with the id of the item.

        The caller has serialised the users, without waiting for any of them (``kernel.serialise.lock_idle_users``), and
        holds back the others: a user's transaction may wait for a price, and the price for this fan-out.
        """
        found = await _RECORD.all(
            self._connection,
            user_ids=list(user_ids),
            notification_ids=[notification_id(fanout.price, user_id) for user_id in user_ids],
            sale_id=None if fanout.price.cut else fanout.price.sale_id,
            **_conditions(fanout),
        )
        return {row["user_id"]: row["id"] for row in found}

    async def advance(self, fanout: Fanout, through: UUID) -> bool:
        """Moves the cursor: all users up to ``through`` are notified or held back. False when somebody else has moved
        it, or a newer price has started the fan-out again.
        """
        before = fanout.cursor
        return await _ADVANCE.run(self._connection, fanout_id=fanout.id, before=before, after=through) == 1

    async def hold_back(self, fanout: Fanout, user_ids: Collection[UUID]) -> None:
        """Stores wishers who cannot be notified together with the others, to notify them later. The caller moves the
        cursor in the same transaction.
        """
        await _HOLD_BACK.run(self._connection, user_ids=list(user_ids), product_id=fanout.price.product_id)

    async def held_back(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Users and products to notify by ``WishlistService.notify_of_price``, and then to ``release``."""
        return [(row["user_id"], row["product_id"]) for row in await _HELD_BACK.all(self._connection, limit=limit)]

    async def release(self, user_id: UUID, product_id: UUID) -> None:
        """Deletes a held back wisher, who was notified in this transaction or need not be."""
        await _RELEASE.run(self._connection, user_id=user_id, product_id=product_id)

    async def finish(self, fanout: Fanout) -> None:
        """Deletes a fan-out that has reached all wishers."""
        await self._finish(fanout.id, fanout.price.product_id)

    async def _finish(self, fanout_id: UUID, product_id: UUID) -> None:
        await _FINISH.run(self._connection, fanout_id=fanout_id)
        await ReleaseBefore(self._connection).finish(product_id)

    async def prune_notifications(self, before: datetime, limit: int) -> int:
        """Deletes records of notifications before a time, at most ``limit`` of one table; returns their number."""
        for statement in _PRUNE:
            if deleted := await statement.run(self._connection, before=before, limit=limit):
                return deleted
        return 0


def _conditions(fanout: Fanout) -> dict[str, object]:
    price = fanout.price
    return {
        "product_id": price.product_id,
        "price_minor": price.price_minor,
        "currency": price.currency,
        "discount": discount_of(price),
        "without_target": not fanout.is_for_targets_alone,
        "received_at": price.cut.received_at if price.cut else None,
    }
