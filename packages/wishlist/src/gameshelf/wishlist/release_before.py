"""What the release before reads and writes: one price of a product, whatever its currency, and one word of a sale.

For one release both are kept: an instance of the release before, beside this one or after a rollback, finds prices and
running sales in its tables, and whom it told of a product's sale is not told again. What it has heard itself is caught
up with. All of this goes with the tables.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from gameshelf.kernel.clock import EARLIEST, LATEST
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.wishlist.models import CurrencyPrice, PriceFanout, ProductPrice, SaleFanout, SaleNotification
from gameshelf.wishlist.rules import Price
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
_NOBODY_YET = UUID(int=0)
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
        where=col(_P.said_at) <= _insert_prices.excluded.said_at,
    )
)
_on_sale = rows("on_sale", product_id=("product_ids", Uuid))
_start = insert(SaleFanout).from_select(
    ["product_id", "id", "cursor"],
    select(_on_sale.c.product_id, func.gen_random_uuid(), literal(_NOBODY_YET, Uuid)),
    include_defaults=False,
)
_START = Statement(
    _start.on_conflict_do_update(
        index_elements=["product_id"],
        set_={"id": _start.excluded.id, "cursor": _NOBODY_YET, "advanced_at": func.now()},
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
# What it has written may be infinite, which is no time that anything can be compared with.
_end = case((and_(col(_P.sale_ends_at) >= EARLIEST, col(_P.sale_ends_at) < LATEST), col(_P.sale_ends_at)))
_AFTER = Statement(
    select(*(getattr(_P, name) for name in _names if name != "sale_ends_at"), _end.label("sale_ends_at"), _is_known)
    .where(col(_P.product_id) > bindparam("after", type_=Uuid))
    .order_by(col(_P.product_id))
    .limit(bindparam("limit", type_=Integer))
)


def was_told(user_id: Any, sale_id: Any, product_id: Any) -> Any:
    """Whether the release before has told a user of the sale by this very product. For a statement."""
    return (
        select(literal(1))
        .where(col(_N.user_id) == user_id, col(_N.sale_id) == sale_id, col(_N.product_id) == product_id)
        .exists()
    )


def note_told(noted: Any, sale_id: Any, product_id: Any) -> Any:
    """Notes for the release before that users are told of a sale. For a statement, beside the note of this one."""
    return (
        insert(SaleNotification)
        .from_select(
            ["user_id", "sale_id", "product_id"],
            select(noted.c.user_id, sale_id, product_id).where(sale_id.is_not(None)),
            include_defaults=False,
        )
        .on_conflict_do_nothing()
        .cte("noted_for_the_release_before")
    )


class OldPrices(NamedTuple):
    """A part of the prices of the release before."""

    unknown: list[Price]
    """Those that only the release before has heard of."""
    last: UUID | None
    """The product up to which was looked; None: there are no more."""


class ReleaseBefore:
    """The tables of the release before, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(self, prices: Sequence[Price], on_sale: Sequence[UUID], over: Sequence[UUID]) -> None:
        """Writes prices, the newest of each product; products whose sale begins, and those that have none any more."""
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
        """Everybody was told of the product's sale, unless it goes on in another currency."""
        await _FINISH.run(self._connection, product_id=product_id)

    async def prices(self, after: UUID, limit: int) -> OldPrices:
        """The next ``limit`` prices in the order of products, to be applied by ``Prices.apply``."""
        found = await _AFTER.all(self._connection, after=after, limit=limit)
        unknown = [Price(**{name: row[name] for name in _names}) for row in found if not row["is_known"]]
        return OldPrices(unknown, found[-1]["product_id"] if found else None)
