"""Prices, as the Catalog says them; a sale or a lasting cut begins to be told, and one that is over stops."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from gameshelf.kernel.clock import Clock, not_in_future, said_time, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist.models import CurrencyPrice, PriceFanout
from gameshelf.wishlist.release_before import ReleaseBefore
from gameshelf.wishlist.rules import Price, succeed
from gameshelf.wishlist.store import PRICE_COLUMNS, SALES_LOCKS, lock_key, price_of
from sqlalchemy import BigInteger, Integer, SmallInteger, String, Uuid, any_, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

NOBODY_YET = UUID(int=0)

_C, _F = CurrencyPrice, PriceFanout
_locked = rows("locked", key=("lock_keys", Integer))
# In the order of the list: whoever locks several does so in the same order.
_TAKE_TURN = Statement(select(func.pg_advisory_xact_lock(SALES_LOCKS, _locked.c.key)))
_CURRENT = Statement(select(*PRICE_COLUMNS).where(col(_C.product_id) == any_(array("product_ids", Uuid))))
_said = rows(
    "said",
    product_id=("product_ids", Uuid),
    currency=("currencies", String),
    price_minor=("prices", BigInteger),
    discount_percent=("discounts", SmallInteger),
    sale_id=("sale_ids", String),
    sale_ends_at=("ends", TIME),
    said_at=("times", TIME),
    cut_from_minor=("cuts", BigInteger),
    cut_said_at=("cut_times", TIME),
    cut_heard_at=("heard_times", TIME),
)
_KEY = ["product_id", "currency"]
_names = [column.name for column in _said.c]
_insert_prices = insert(CurrencyPrice).from_select(_names, select(*_said.c), include_defaults=False)
_WRITE = Statement(
    _insert_prices.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: _insert_prices.excluded[name] for name in _names if name not in _KEY},
    )
)
_told = rows("told", product_id=("product_ids", Uuid), currency=("currencies", String))
_start = insert(PriceFanout).from_select(
    [*_KEY, "id", "cursor"],
    select(_told.c.product_id, _told.c.currency, func.gen_random_uuid(), literal(NOBODY_YET, Uuid)),
    include_defaults=False,
)
_START = Statement(
    _start.on_conflict_do_update(
        index_elements=_KEY,
        set_={"id": _start.excluded.id, "cursor": NOBODY_YET, "advanced_at": func.now()},
    )
)
_over = rows("over", product_id=("product_ids", Uuid), currency=("currencies", String))
_STOP = Statement(
    delete(PriceFanout).where(
        tuple_(col(_F.product_id), col(_F.currency)).in_(select(_over.c.product_id, _over.c.currency))
    )
)

_Key = tuple[UUID, str]


class Prices:
    """The prices over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._release_before = ReleaseBefore(connection)
        self._clock = clock

    async def apply(self, facts: Sequence[Price]) -> None:
        """Takes over prices, in any order, twice or late: of each product and currency the newest counts; of two of one
        time the one heard last.

        A price that is a sale or a lasting cut is told to the wishers whom it concerns, by whoever works through
        ``SaleFanouts``; a newer one stops what an older one began, unless it says the same. Who wishes for the product
        meanwhile waits until this transaction ends.
        """
        if not facts:
            return
        now = self._clock()
        await _TAKE_TURN.all(self._connection, lock_keys=sorted({lock_key(fact.product_id) for fact in facts}))
        products = list({fact.product_id for fact in facts})
        found = [price_of(row) for row in await _CURRENT.all(self._connection, product_ids=products)]
        kept = {(price.product_id, price.currency): price for price in found}
        prices = dict(kept)
        for fact in facts:
            said = replace(fact, said_at=not_in_future(fact.said_at, now), sale_ends_at=said_time(fact.sale_ends_at))
            before = prices.get((said.product_id, said.currency))
            if before is None or said.said_at >= before.said_at:
                prices[said.product_id, said.currency] = succeed(before, said, now)
        changed = {key: price for key, price in prices.items() if price != kept.get(key)}
        if not changed:
            return
        await _WRITE.run(self._connection, **_columns(list(changed.values())))
        others = {key: one for key, one in changed.items() if not (key in kept and one.says_the_same_as(kept[key]))}
        told = [key for key, price in others.items() if price.is_told(now)]
        if told:
            await _START.run(self._connection, **_keys(told))
        if over := [key for key in others if key not in told]:
            await _STOP.run(self._connection, **_keys(over))
        await self._tell_release_before(changed, others)

    async def _tell_release_before(self, changed: Mapping[_Key, Price], others: Mapping[_Key, Price]) -> None:
        now = self._clock()
        newest: dict[UUID, _Key] = {}
        for key in sorted(changed, key=lambda one: changed[one].said_at):
            newest[key[0]] = key
        on_sale = [product_id for product_id, key in newest.items() if key in others and others[key].is_sale(now)]
        over = [product_id for product_id, key in newest.items() if key in others and product_id not in on_sale]
        await self._release_before.write([changed[key] for key in newest.values()], on_sale, over)


def _keys(keys: Sequence[_Key]) -> dict[str, list[Any]]:
    return {"product_ids": [product_id for product_id, _ in keys], "currencies": [currency for _, currency in keys]}


def _columns(prices: Sequence[Price]) -> dict[str, list[Any]]:
    return {
        "product_ids": [price.product_id for price in prices],
        "currencies": [price.currency for price in prices],
        "prices": [price.price_minor for price in prices],
        "discounts": [price.discount_percent for price in prices],
        "sale_ids": [price.sale_id for price in prices],
        "ends": [price.sale_ends_at for price in prices],
        "times": [price.said_at for price in prices],
        "cuts": [price.cut.old_price_minor if price.cut else None for price in prices],
        "cut_times": [price.cut.said_at if price.cut else None for price in prices],
        "heard_times": [price.cut.heard_at if price.cut else None for price in prices],
    }
