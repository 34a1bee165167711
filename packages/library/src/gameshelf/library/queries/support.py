"""A whole library as support sees it: everything that is known of every product, with access or without."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, page_of, prefixed, user
from gameshelf.library.models import Grant, GrantKind, LibraryItem, OrderFact, OrderFactKind, Product
from gameshelf.library.queries.access import AccessDecision, AccessQueries
from gameshelf.library.rules import OrderAdjustment, copies_left, known_rating
from gameshelf.library.visible import FENCE, visible_items
from sqlalchemy import Uuid, any_, func, literal_column, or_, select, true, union
from sqlmodel import col

MOST_GRANTS = 100
"""How many grants of a product are read at most, the oldest."""
MOST_FACTS = 100
"""How many facts of a product's orders are read at most, the newest."""


@dataclass(frozen=True, slots=True)
class OrderFactView:
    """A refund of an order's product, or a reinstatement, such as of a chargeback that was reversed. Times are aware
    and in UTC.
    """

    kind: str
    """An ``OrderFactKind``."""
    fact_id: str
    """``id:`` and the refund's own id, ``event:`` and the hash of what told of it, or ``tombstone``."""
    quantity: int | None
    """None: all copies."""
    occurred_at: datetime
    created_at: datetime
    """When it was heard of first."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """A reason to own a product, that lives or has ended. Times are aware and in UTC."""

    kind: str
    source_id: str
    acquired_at: datetime | None
    """None where the end was heard of, and the beginning never."""
    ended_at: datetime | None
    created_at: datetime
    """When it was heard of first."""
    quantity: int | None = None
    """How many copies an order bought; None of what is no order, and of an order whose purchase was not heard of."""
    copies_left: int | None = None
    """How many of them are not refunded; None where it is not known, or where ``facts`` are not all of them."""
    ended_by: str | None = None
    """``support`` or ``order_facts`` (all copies were refunded), of an order whose end is known to come from there."""
    facts: Sequence[OrderFactView] = ()
    """What was heard of an order later, in the order in which it counts."""


@dataclass(frozen=True, slots=True)
class ItemState:
    """The row of a user and a product, which outlives access. Times are aware and in UTC, playtime is in seconds."""

    id: UUID
    acquisition_type: str | None
    """How the product came that the user owns; None while they own none."""
    added_at: datetime | None
    is_hidden: bool
    installation_status: str
    installed_version_id: str | None
    installation_changed_at: datetime | None
    last_played_at: datetime | None
    total_playtime_seconds: int
    user_rating: float | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HeldProduct:
    """All that a library knows of one product."""

    product_id: UUID
    product_type: str | None
    title_ru: str | None
    title_en: str | None
    access: AccessDecision
    item: ItemState | None
    """None while there is no row: of a shared game that was never touched, of an unknown product."""
    grants: Sequence[GrantView]
    """The oldest first, at most 100."""


_ITEM_NAMES = [field.name for field in fields(ItemState)]
ITEM_COLUMNS: tuple[Any, ...] = tuple(col(getattr(LibraryItem, name)) for name in _ITEM_NAMES)

_visible = visible_items()
_held = union(
    select(col(Grant.product_id)).where(col(Grant.user_id) == user()),
    select(col(LibraryItem.product_id)).where(col(LibraryItem.user_id) == user()),
    select(col(_visible.product_id)),
).subquery("held")
_wanted = array("product_ids", Uuid)
# Looked up row by row, by their keys: see queries.py.
_product = (
    select(
        col(Product.product_type), col(Product.title_ru), col(Product.title_en), col(Product.sort_key_en).label("name")
    )
    .where(col(Product.product_id) == _held.c.product_id)
    .limit(literal_column("1"))
    .lateral("product")
)
_item = (
    select(col(LibraryItem.product_type).label("said_type"), *ITEM_COLUMNS)
    .where(col(LibraryItem.user_id) == user(), col(LibraryItem.product_id) == _held.c.product_id)
    .offset(FENCE)
    .lateral("item")
)
_LIBRARY = page_of(
    select(
        _held.c.product_id,
        func.coalesce(_product.c.product_type, _item.c.said_type).label("product_type"),
        _product.c.title_ru,
        _product.c.title_en,
        *prefixed("item_", (_item.c[name] for name in _ITEM_NAMES)),
        _product.c.name,
    )
    .select_from(_held)
    .outerjoin(_product, true())
    .outerjoin(_item, true())
    .where(or_(_wanted.is_(None), _held.c.product_id == any_(_wanted))),
    lambda row: (row.name.asc().nulls_last(), row.product_id),
)
_ITEM = RowReader(ItemState, _LIBRARY, prefix="item_", convert={"user_rating": known_rating})
_asked = func.unnest(array("product_ids", Uuid)).table_valued("product_id", name="asked").render_derived()
_first = (
    select(
        col(Grant.kind),
        col(Grant.source_id),
        col(Grant.acquired_at),
        col(Grant.ended_at),
        col(Grant.created_at),
        col(Grant.quantity),
        col(Grant.ended_by),
    )
    .where(col(Grant.user_id) == user(), col(Grant.product_id) == _asked.c.product_id)
    .order_by(col(Grant.acquired_at), col(Grant.kind), col(Grant.source_id))
    .limit(MOST_GRANTS)
    .lateral("first")
)
_GRANTS = Statement(
    select(_asked.c.product_id, *_first.c)
    .select_from(_asked)
    .join(_first, true())
    .order_by(_first.c.acquired_at, _first.c.kind, _first.c.source_id)
)
_newest = (
    select(
        col(OrderFact.source_id),
        col(OrderFact.kind),
        col(OrderFact.fact_id),
        col(OrderFact.quantity),
        col(OrderFact.occurred_at),
        col(OrderFact.created_at),
    )
    .where(col(OrderFact.user_id) == user(), col(OrderFact.product_id) == _asked.c.product_id)
    .order_by(col(OrderFact.occurred_at).desc(), col(OrderFact.fact_id).desc())
    .limit(MOST_FACTS)
    .lateral("newest")
)
_FACTS = Statement(
    select(_asked.c.product_id, *_newest.c)
    .select_from(_asked)
    .join(_newest, true())
    .order_by(_newest.c.occurred_at, _newest.c.fact_id)
)
_GRANT = RowReader(
    GrantView,
    _GRANTS,
    others=("product_id", "quantity", "ended_by"),
    given=("quantity", "copies_left", "ended_by", "facts"),
)
_FACT = RowReader(OrderFactView, _FACTS, others=("product_id", "source_id"))


class LibrarySupportQueries:
    """Reads for support, over one connection. What takes several round trips shows one moment in a snapshot only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def library(
        self, user_id: UUID, page: Page, product_ids: Collection[UUID] | None = None
    ) -> Slice[HeldProduct]:
        """One page of all products that a user has, or had, a grant, an item or a share of; by English title, then id.

        With ``product_ids`` of these alone. Four round trips.
        """
        rows = await _LIBRARY.all(
            self._connection,
            user_id=user_id,
            product_ids=None if product_ids is None else list(product_ids),
            limit=page.limit,
            offset=page.offset,
        )
        found = [row for row in rows if row["product_id"] is not None]
        products = [row["product_id"] for row in found]
        grants = await self.grants(user_id, products)
        access = await AccessQueries(self._connection).access([(user_id, product_id) for product_id in products])
        held = [
            HeldProduct(
                row["product_id"],
                row["product_type"],
                row["title_ru"],
                row["title_en"],
                allowed,
                _ITEM.read(row) if row["item_id"] else None,
                grants.get(row["product_id"], ()),
            )
            for row, allowed in zip(found, access, strict=True)
        ]
        return Slice(held, rows[0]["total"])

    async def grants(self, user_id: UUID, product_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[GrantView]]:
        """By product its grants and tombstones, the oldest first, at most 100 each, with the newest 100 facts of its
        orders. Two round trips.
        """
        products = list(product_ids)
        facts: dict[UUID, dict[str, list[OrderFactView]]] = {}
        for row in await _FACTS.all(self._connection, user_id=user_id, product_ids=products):
            facts.setdefault(row["product_id"], {}).setdefault(row["source_id"], []).append(_FACT.read(row))
        found: dict[UUID, list[GrantView]] = {}
        for row in await _GRANTS.all(self._connection, user_id=user_id, product_ids=products):
            grant, of_product = _GRANT.read(row), facts.get(row["product_id"], {})
            if grant.kind == GrantKind.ORDER:
                is_whole = sum(map(len, of_product.values())) < MOST_FACTS
                grant = _order(grant, row["quantity"], row["ended_by"], of_product.get(grant.source_id, ()), is_whole)
            found.setdefault(row["product_id"], []).append(grant)
        return found


def _order(
    grant: GrantView, quantity: int | None, ended_by: str | None, facts: Sequence[OrderFactView], is_whole: bool
) -> GrantView:
    """The grant of an order with what is known of its copies."""
    bought = None if grant.acquired_at is None else quantity or 1
    left = None
    if bought is not None and grant.ended_at is not None:
        left = 0
    elif bought is not None and is_whole:
        known = (OrderAdjustment(OrderFactKind(one.kind), one.fact_id, one.quantity, one.occurred_at) for one in facts)
        left = copies_left(bought, known)
    return replace(grant, quantity=bought, copies_left=left, ended_by=ended_by, facts=facts)
