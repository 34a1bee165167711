"""Prices, as the Catalog says them; a sale begins to be told, and one that is over stops."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from gameshelf.kernel.clock import Clock, not_in_future, said_time, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist.models import ProductPrice, SaleFanout
from gameshelf.wishlist.rules import Price
from gameshelf.wishlist.store import PRICE_COLUMNS, SALES_LOCKS, lock_key
from sqlalchemy import BigInteger, Integer, SmallInteger, String, Uuid, any_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

NOBODY_YET = UUID(int=0)

_PRODUCTS = array("product_ids", Uuid)
_keys = rows("keys", key=("lock_keys", Integer))
# In the order of the list: whoever locks several does so in the same order.
_TAKE_TURN = Statement(select(func.pg_advisory_xact_lock(SALES_LOCKS, _keys.c.key)))
_CURRENT = Statement(select(*PRICE_COLUMNS).where(col(ProductPrice.product_id) == any_(_PRODUCTS)))
_said = rows(
    "said",
    product_id=("product_ids", Uuid),
    price_minor=("prices", BigInteger),
    currency=("currencies", String),
    discount_percent=("discounts", SmallInteger),
    sale_id=("sale_ids", String),
    sale_ends_at=("ends", TIME),
    said_at=("times", TIME),
)
_names = [column.name for column in _said.c]
_insert_prices = insert(ProductPrice).from_select(_names, select(*_said.c), include_defaults=False)
_WRITE = Statement(
    _insert_prices.on_conflict_do_update(
        index_elements=["product_id"],
        set_={name: _insert_prices.excluded[name] for name in _names if name != "product_id"},
    )
)
_on_sale = rows("on_sale", product_id=("product_ids", Uuid))
_start = insert(SaleFanout).from_select(
    ["product_id", "id", "cursor"],
    select(_on_sale.c.product_id, func.gen_random_uuid(), literal(NOBODY_YET, Uuid)),
    include_defaults=False,
)
_START = Statement(
    _start.on_conflict_do_update(
        index_elements=["product_id"],
        set_={"id": _start.excluded.id, "cursor": NOBODY_YET, "advanced_at": func.now()},
    )
)
_STOP = Statement(delete(SaleFanout).where(col(SaleFanout.product_id) == any_(_PRODUCTS)))


class Prices:
    """The prices over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def apply(self, facts: Sequence[Price]) -> None:
        """Takes over prices, in any order, twice or late: the newest counts; of two of one time the one heard last.

        A price that is a sale is told to all wishers, by whoever works through ``SaleFanouts``; any newer price stops
        what an older one began. Who wishes for the product meanwhile waits until this transaction ends.
        """
        if not facts:
            return
        now = self._clock()
        newest: dict[UUID, Price] = {}
        await _TAKE_TURN.all(self._connection, lock_keys=sorted({lock_key(fact.product_id) for fact in facts}))
        products = list({fact.product_id for fact in facts})
        current = {
            row["product_id"]: Price(*row.values())
            for row in await _CURRENT.all(self._connection, product_ids=products)
        }
        for fact in facts:
            bounded = replace(fact, said_at=not_in_future(fact.said_at, now), sale_ends_at=said_time(fact.sale_ends_at))
            before = newest.get(fact.product_id) or current.get(fact.product_id)
            if before is None or bounded.said_at >= before.said_at:
                newest[fact.product_id] = bounded
        changed = [price for price in newest.values() if price != current.get(price.product_id)]
        if not changed:
            return
        await _WRITE.run(self._connection, **_columns(changed))
        on_sale = [price.product_id for price in changed if price.is_sale(now)]
        over = [price.product_id for price in changed if not price.is_sale(now)]
        if on_sale:
            await _START.run(self._connection, product_ids=on_sale)
        if over:
            await _STOP.run(self._connection, product_ids=over)


def _columns(prices: Sequence[Price]) -> dict[str, list[Any]]:
    return {
        "product_ids": [price.product_id for price in prices],
        "prices": [price.price_minor for price in prices],
        "currencies": [price.currency for price in prices],
        "discounts": [price.discount_percent for price in prices],
        "sale_ids": [price.sale_id for price in prices],
        "ends": [price.sale_ends_at for price in prices],
        "times": [price.said_at for price in prices],
    }
