"""An order as support sees it: whose it is, what it bought, and what was received about it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.library._models import Grant, GrantKind, OrderFact
from gameshelf.library._queries.support import GrantView, OrderFactView, grant_of_order
from sqlalchemy import Integer, String, bindparam, func, literal_column, select
from sqlmodel import col

MOST_PRODUCTS = 100
"""How many products of an order are read at most."""
MOST_FACTS_OF_ORDER = 500
"""How many facts of an order are read at most, the newest."""


@dataclass(frozen=True, slots=True)
class OrderedProduct:
    """A product of an order, with its refunds and reinstatements."""

    product_id: UUID
    grant: GrantView


_G, _F = Grant, OrderFact
_ORDER_ID = bindparam("order_id", type_=String)
_is_order = col(_G.kind) == literal_column(f"'{GrantKind.ORDER}'")
_OWNERS = Statement(
    select(col(_G.user_id))
    .distinct()
    .where(func.lower(col(_G.source_id)) == func.lower(_ORDER_ID), col(_G.source_id) == _ORDER_ID, _is_order)
    .order_by(col(_G.user_id))
    .limit(bindparam("limit", type_=Integer))
)
_PRODUCTS = Statement(
    select(
        col(_G.product_id),
        col(_G.kind),
        col(_G.source_id),
        col(_G.acquired_at),
        col(_G.ended_at),
        col(_G.created_at),
        col(_G.quantity),
        col(_G.ended_by),
    )
    .where(col(_G.user_id) == user(), col(_G.source_id) == _ORDER_ID, _is_order)
    .order_by(col(_G.product_id))
    .limit(bindparam("limit", type_=Integer))
)
_FACTS = Statement(
    select(
        col(_F.product_id),
        col(_F.kind),
        col(_F.fact_id),
        col(_F.quantity),
        col(_F.occurred_at),
        col(_F.created_at),
    )
    .where(col(_F.user_id) == user(), col(_F.source_id) == _ORDER_ID)
    .order_by(col(_F.occurred_at).desc(), col(_F.fact_id).desc())
    .limit(bindparam("limit", type_=Integer))
)
_GRANT = RowReader(
    GrantView,
    _PRODUCTS,
    others=("product_id", "quantity", "ended_by"),
    given=("quantity", "copies_left", "ended_by", "facts"),
)
_FACT = RowReader(OrderFactView, _FACTS, others=("product_id",))


class OrderQueries:
    """Reads of orders over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def owners(self, order_id: str, limit: int) -> list[UUID]:
        """Returns the users who have something of an order: one, unless an id was used twice. One round trip."""
        return [row["user_id"] for row in await _OWNERS.all(self._connection, order_id=order_id, limit=limit)]

    async def products(self, user_id: UUID, order_id: str) -> Sequence[OrderedProduct]:
        """Returns what an order of this user bought, by product. Two round trips."""
        of = {"user_id": user_id, "order_id": order_id}
        rows = await _FACTS.all(self._connection, **of, limit=MOST_FACTS_OF_ORDER)
        is_whole = len(rows) < MOST_FACTS_OF_ORDER
        facts: dict[UUID, list[OrderFactView]] = {}
        for row in reversed(rows):  # in the order in which they are applied
            facts.setdefault(row["product_id"], []).append(_FACT.read(row))
        return [
            OrderedProduct(
                row["product_id"],
                grant_of_order(
                    _GRANT.read(row), row["quantity"], row["ended_by"], facts.get(row["product_id"], ()), is_whole
                ),
            )
            for row in await _PRODUCTS.all(self._connection, **of, limit=MOST_PRODUCTS)
        ]
