"""Current prices by product and currency, and which of them wishers are being notified of."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist._models import CurrencyPrice, PriceFanout
from gameshelf.wishlist._rules import Cut, Price
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
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

PriceKey = tuple[UUID, str]
"""A product and a currency."""

_SALES_LOCKS = 0x73616C65
"""The first key of the advisory locks that order wishes and prices of a product; the second follows from its id."""
_FIRST_CURSOR = UUID(int=0)
"""The cursor of a fan-out that has reached no wisher yet."""

_C, _F = CurrencyPrice, PriceFanout
PRICE_COLUMNS: tuple[Any, ...] = (
    col(_C.product_id),
    col(_C.price_minor),
    col(_C.currency),
    col(_C.discount_percent),
    col(_C.sale_id),
    col(_C.sale_ends_at),
    col(_C.said_at),
    col(_C.cut_from_minor).label("cut_old_price_minor"),
    col(_C.cut_said_at),
    col(_C.cut_heard_at).label("cut_received_at"),
)


class PriceReader:
    """Makes prices from rows with ``PRICE_COLUMNS``, whose names may have a prefix; see ``RowReader``."""

    def __init__(self, *statements: Statement, prefix: str = "", others: Iterable[str] = ()) -> None:
        self._cut = RowReader(Cut, *statements, prefix=f"{prefix}cut_")
        self._price = RowReader(
            Price, *statements, prefix=prefix, others=(self._cut, *others), given=("old_price_minor", "cut")
        )
        self._lowered_from = f"{prefix}cut_old_price_minor"
        self.columns = (*self._price.columns, *self._cut.columns)

    def read(self, row: Record) -> Price:
        """The price of a row."""
        is_cut = row[self._lowered_from] is not None
        return self._price.read(row, cut=self._cut.read(row) if is_cut else None)


# A transaction that writes a price waits for those that have read the previous one, and they wait for it.
_LOCK = Statement(select(func.pg_advisory_xact_lock_shared(_SALES_LOCKS, bindparam("lock_key", type_=Integer))))
_locked = rows("locked", key=("lock_keys", Integer))
# In the order of the list: transactions that lock several products do so in the same order.
_LOCK_FOR_WRITING = Statement(select(func.pg_advisory_xact_lock(_SALES_LOCKS, _locked.c.key)))
_OF_PRODUCT = Statement(select(*PRICE_COLUMNS).where(col(_C.product_id) == bindparam("product_id", type_=Uuid)))
_OF_PRODUCTS = Statement(select(*PRICE_COLUMNS).where(col(_C.product_id) == any_(array("product_ids", Uuid))))
_PRICE = PriceReader(_OF_PRODUCT, _OF_PRODUCTS)
_new = rows(
    "new",
    product_id=("product_ids", Uuid),
    currency=("currencies", String),
    price_minor=("prices", BigInteger),
    discount_percent=("discounts", SmallInteger),
    sale_id=("sale_ids", String),
    sale_ends_at=("ends", TIME),
    said_at=("times", TIME),
    cut_from_minor=("cuts", BigInteger),
    cut_said_at=("cut_times", TIME),
    cut_heard_at=("cut_received_times", TIME),
)
_KEY = ["product_id", "currency"]
_names = [column.name for column in _new.c]
_insert_prices = insert(CurrencyPrice).from_select(_names, select(*_new.c), include_defaults=False)
_WRITE = Statement(
    _insert_prices.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: _insert_prices.excluded[name] for name in _names if name not in _KEY},
    )
)
_begun = rows("begun", product_id=("product_ids", Uuid), currency=("currencies", String))
_insert_fanouts = insert(PriceFanout).from_select(
    [*_KEY, "id", "cursor"],
    select(_begun.c.product_id, _begun.c.currency, func.gen_random_uuid(), literal(_FIRST_CURSOR, Uuid)),
    include_defaults=False,
)
_START_FANOUTS = Statement(
    _insert_fanouts.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: _insert_fanouts.excluded[name] for name in ("id", "cursor", "advanced_at")},
    )
)
_over = rows("over", product_id=("product_ids", Uuid), currency=("currencies", String))
_STOP_FANOUTS = Statement(
    delete(PriceFanout).where(
        tuple_(col(_F.product_id), col(_F.currency)).in_(select(_over.c.product_id, _over.c.currency))
    )
)


def lock_of_price(product_id: UUID) -> BoundStatement:
    """What ``PriceStore.lock`` runs."""
    return _LOCK.bind(lock_key=_lock_key(product_id))


def lookup_prices(product_id: UUID) -> BoundStatement:
    """What ``PriceStore.prices`` reads."""
    return _OF_PRODUCT.bind(product_id=product_id)


class PriceStore:
    """Prices over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, product_id: UUID) -> None:
        """Until the transaction ends nobody changes the price of the product; others may lock it likewise."""
        await _LOCK.first(self._connection, lock_key=_lock_key(product_id))

    async def lock_for_writing(self, product_ids: Collection[UUID]) -> None:
        """Until the transaction ends nobody else reads under a lock, or changes, the prices of these products."""
        await _LOCK_FOR_WRITING.all(self._connection, lock_keys=sorted({_lock_key(one) for one in product_ids}))

    async def prices(self, product_id: UUID) -> dict[str, Price]:
        """The prices of the product by currency."""
        found = [_PRICE.read(row) for row in await _OF_PRODUCT.all(self._connection, product_id=product_id)]
        return {price.currency: price for price in found}

    async def prices_of_products(self, product_ids: Collection[UUID]) -> dict[PriceKey, Price]:
        """The prices of these products by product and currency."""
        found = [_PRICE.read(row) for row in await _OF_PRODUCTS.all(self._connection, product_ids=list(product_ids))]
        return {(price.product_id, price.currency): price for price in found}

    async def write(self, prices: Sequence[Price]) -> None:
        """Writes prices, each in place of the one of its product and currency."""
        await _WRITE.run(
            self._connection,
            product_ids=[price.product_id for price in prices],
            currencies=[price.currency for price in prices],
            prices=[price.price_minor for price in prices],
            discounts=[price.discount_percent for price in prices],
            sale_ids=[price.sale_id for price in prices],
            ends=[price.sale_ends_at for price in prices],
            times=[price.said_at for price in prices],
            cuts=[price.cut.old_price_minor if price.cut else None for price in prices],
            cut_times=[price.cut.said_at if price.cut else None for price in prices],
            cut_received_times=[price.cut.received_at if price.cut else None for price in prices],
        )

    async def start_fanouts(self, keys: Sequence[PriceKey]) -> None:
        """Starts to notify the wishers of these prices, from the first one; a running fan-out starts again."""
        await _START_FANOUTS.run(self._connection, **_key_lists(keys))

    async def stop_fanouts(self, keys: Sequence[PriceKey]) -> None:
        """Nobody is notified of these prices any more."""
        await _STOP_FANOUTS.run(self._connection, **_key_lists(keys))


def _lock_key(product_id: UUID) -> int:
    """The second key of a product's advisory lock. Two products may share one: then they wait for each other."""
    return int.from_bytes(product_id.bytes[:4], "big", signed=True)


def _key_lists(keys: Sequence[PriceKey]) -> dict[str, list[Any]]:
    return {"product_ids": [product_id for product_id, _ in keys], "currencies": [currency for _, currency in keys]}
