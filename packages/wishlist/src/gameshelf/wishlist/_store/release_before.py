"""Tables of the release before: one price of a product, whatever its currency, and one notification of each sale.

For one release they are kept beside the new ones: an instance of the release before, which runs beside this one or
after a rollback, finds prices and running sales in its tables, and this one notifies nobody whom that one has notified.
Prices that only the release before received are taken over. All of this is deleted together with the tables.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from gameshelf.kernel.clock import EARLIEST, LATEST
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist._models import CurrencyPrice, PriceFanout, ProductPrice, SaleFanout, SaleNotification
from gameshelf.wishlist._rules import Price
from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_P, _C, _N = ProductPrice, CurrencyPrice, SaleNotification
_FIRST_CURSOR = UUID(int=0)
_new = rows(
    "new",
    product_id=("product_ids", Uuid),
    price_minor=("prices", BigInteger),
    currency=("currencies", String),
    discount_percent=("discounts", SmallInteger),
    sale_id=("sale_ids", String),
    sale_ends_at=("ends", TIME),
    said_at=("times", TIME),
)
_names = [column.name for column in _new.c]
_insert_prices = insert(ProductPrice).from_select(_names, select(*_new.c), include_defaults=False)
_WRITE = Statement(
    _insert_prices.on_conflict_do_update(
        index_elements=["product_id"],
        set_={name: _insert_prices.excluded[name] for name in _names if name != "product_id"},
        where=col(_P.said_at) <= _insert_prices.excluded.said_at,
    )
)
_on_sale = rows("on_sale", product_id=("product_ids", Uuid))
_start = insert(SaleFanout).from_select(
    ["product_id", "id", "cursor"],
    select(_on_sale.c.product_id, func.gen_random_uuid(), literal(_FIRST_CURSOR, Uuid)),
    include_defaults=False,
)
_START = Statement(
    _start.on_conflict_do_update(
        index_elements=["product_id"],
        set_={name: _start.excluded[name] for name in ("id", "cursor", "advanced_at")},
    )
)
_STOP = Statement(delete(SaleFanout).where(col(SaleFanout.product_id) == any_(array("product_ids", Uuid))))
_PRODUCT = bindparam("product_id", type_=Uuid)
_FINISH = Statement(
    delete(SaleFanout).where(
        col(SaleFanout.product_id) == _PRODUCT,
        ~select(literal(1)).where(col(PriceFanout.product_id) == _PRODUCT).exists(),
    )
)
_is_known = (
    select(literal(1))
    .where(
        col(_C.product_id) == col(_P.product_id),
        col(_C.currency) == col(_P.currency),
        col(_C.said_at) >= col(_P.said_at),
    )
    .exists()
    .label("is_known")
)
# That release may have written an infinite time, which cannot be compared with others.
_end = case((and_(col(_P.sale_ends_at) >= EARLIEST, col(_P.sale_ends_at) < LATEST), col(_P.sale_ends_at)))
_AFTER = Statement(
    select(*(getattr(_P, name) for name in _names if name != "sale_ends_at"), _end.label("sale_ends_at"), _is_known)
    .where(col(_P.product_id) > bindparam("after", type_=Uuid))
    .order_by(col(_P.product_id))
    .limit(bindparam("limit", type_=Integer))
)
_PRICE = RowReader(Price, _AFTER, others=("is_known",), given=("old_price_minor", "cut"))


def was_notified_by_release_before(user_id: Any, sale_id: Any, product_id: Any) -> Any:
    """A condition: the release before has notified a user of the sale by this very product."""
    return (
        select(literal(1))
        .where(col(_N.user_id) == user_id, col(_N.sale_id) == sale_id, col(_N.product_id) == product_id)
        .exists()
    )


def record_for_release_before(recorded: Any, sale_id: Any, product_id: Any) -> Any:
    """Records for the release before that the users of ``recorded`` are notified of a sale: a part of the statement
    that makes this release's record.
    """
    return (
        insert(SaleNotification)
        .from_select(
            ["user_id", "sale_id", "product_id"],
            select(recorded.c.user_id, sale_id, product_id).where(sale_id.is_not(None)),
            include_defaults=False,
        )
        .on_conflict_do_nothing()
        .cte("recorded_for_release_before")
    )


class OldPrices(NamedTuple):
    """A part of the prices of the release before."""

    unknown: list[Price]
    """Those that only the release before has received."""
    last: UUID | None
    """The last product of the part; None: there are no more."""


class ReleaseBefore:
    """The tables of the release before, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(self, prices: Sequence[Price], on_sale: Sequence[UUID], over: Sequence[UUID]) -> None:
        """Writes the newest price of each product, starts sales of ``on_sale`` products, and ends those of ``over``."""
        await _WRITE.run(
            self._connection,
            product_ids=[price.product_id for price in prices],
            prices=[price.price_minor for price in prices],
            currencies=[price.currency for price in prices],
            discounts=[price.discount_percent for price in prices],
            sale_ids=[price.sale_id for price in prices],
            ends=[price.sale_ends_at for price in prices],
            times=[price.said_at for price in prices],
        )
        if on_sale:
            await _START.run(self._connection, product_ids=list(on_sale))
        if over:
            await _STOP.run(self._connection, product_ids=list(over))

    async def finish(self, product_id: UUID) -> None:
        """Ends a product's sale, unless wishers are still being notified of it in another currency."""
        await _FINISH.run(self._connection, product_id=product_id)

    async def prices(self, after: UUID, limit: int) -> OldPrices:
        """Returns the next ``limit`` prices in the order of products, for ``Prices.apply``."""
        found = await _AFTER.all(self._connection, after=after, limit=limit)
        unknown = [_PRICE.read(row) for row in found if not row["is_known"]]
        return OldPrices(unknown, found[-1]["product_id"] if found else None)
