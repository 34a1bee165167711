"""A whole library as support sees it: all data of every product, with access or without."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, page_of, prefixed, user
from gameshelf.library._models import Grant, GrantKind, LibraryItem, OrderFact, OrderFactKind, Product
from gameshelf.library._queries.access import AccessDecision, AccessQueries
from gameshelf.library._rules import OrderAdjustment, copies_left, known_rating
from gameshelf.library._views import Language
from gameshelf.library._visible import FENCE, visible_items
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
    """``id:`` and the refund's own id, ``event:`` and the hash of the event that reported it, or ``tombstone``."""
    quantity: int | None
    """None: all copies."""
    occurred_at: datetime
    created_at: datetime
    """When it was first received."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant of a product that lives or has ended. Times are aware and in UTC."""

    kind: str
    source_id: str
    acquired_at: datetime | None
    """None where only the end was received, and never the beginning."""
    ended_at: datetime | None
    created_at: datetime
    """When it was first received."""
    quantity: int | None = None
    """How many copies an order bought; None for a grant that is not an order's, and before the purchase is received."""
    copies_left: int | None = None
    """How many of them are not refunded; None where it is not known, or where ``facts`` is not complete."""
    ended_by: str | None = None
    """``support`` or ``order_facts`` (all copies were refunded), where it is known what ended an order's grant."""
    facts: Sequence[OrderFactView] = ()
    """The refunds and reinstatements of an order, in the order in which they are applied."""


@dataclass(frozen=True, slots=True)
class ItemState:
    """The row of a user and a product, which outlives access. Times are aware and in UTC, playtime is in seconds."""

    id: UUID
    acquisition_type: str | None
    """How the user acquired the product; None while they do not own it."""
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
    """All data of one product in a library."""

    product_id: UUID
    product_type: str | None
    title_ru: str | None
    title_en: str | None
    access: AccessDecision
    item: ItemState | None
    """None while there is no row: for a shared game that was never changed, and for an unknown product."""
    grants: Sequence[GrantView]
    """The oldest first, at most 100."""

    def title(self, language: Language) -> str | None:
        """Returns the title in a language, else in the other one."""
        titles = (self.title_en, self.title_ru) if language == "en" else (self.title_ru, self.title_en)
        return titles[0] or titles[1]


_ITEM_NAMES = [field.name for field in fields(ItemState)]
ITEM_COLUMNS: tuple[Any, ...] = tuple(col(getattr(LibraryItem, name)) for name in _ITEM_NAMES)

_visible = visible_items()
_held = union(
    select(col(Grant.product_id)).where(col(Grant.user_id) == user()),
    select(col(LibraryItem.product_id)).where(col(LibraryItem.user_id) == user()),
    select(col(_visible.product_id)),
).subquery("held")
_wanted = array("product_ids", Uuid)
# They are looked up row by row, by their keys: see _queries/library.py.
_product = (
    select(
        col(Product.product_type),
        col(Product.title_ru),
        col(Product.title_en),
        col(Product.sort_key_ru),
        col(Product.sort_key_en),
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


def _library(language: Language) -> Statement:
    """Selects a page in the order of the titles in this language."""
    return page_of(
        select(
            _held.c.product_id,
            func.coalesce(_product.c.product_type, _item.c.said_type).label("product_type"),
            _product.c.title_ru,
            _product.c.title_en,
            *prefixed("item_", (_item.c[name] for name in _ITEM_NAMES)),
            (_product.c.sort_key_en if language == "en" else _product.c.sort_key_ru).label("name"),
        )
        .select_from(_held)
        .outerjoin(_product, true())
        .outerjoin(_item, true())
        .where(or_(_wanted.is_(None), _held.c.product_id == any_(_wanted))),
        lambda row: (row.name.asc().nulls_last(), row.product_id),
    )


_LIBRARY: dict[Language, Statement] = {"ru": _library("ru"), "en": _library("en")}
_ITEM = RowReader(ItemState, *_LIBRARY.values(), prefix="item_", convert={"user_rating": known_rating})
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
    """Queries for support over one connection. Several round trips show one moment only in a snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def library(
        self,
        user_id: UUID,
        page: Page,
        product_ids: Collection[UUID] | None = None,
        language: Language = "en",
    ) -> Slice[HeldProduct]:
        """Returns one page of all products of which a user has a grant, ended or not, an item or a share; sorted by
        title in this language, else in the other one, then by id.

        With ``product_ids`` only these products. Four round trips.
        """
        rows = await _LIBRARY[language].all(
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
        """Returns by product its grants and tombstones, the oldest first, at most 100 each, with the newest 100 facts
        of its orders. Two round trips.
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
                grant = grant_of_order(
                    grant, row["quantity"], row["ended_by"], of_product.get(grant.source_id, ()), is_whole
                )
            found.setdefault(row["product_id"], []).append(grant)
        return found


def grant_of_order(
    grant: GrantView, quantity: int | None, ended_by: str | None, facts: Sequence[OrderFactView], is_whole: bool
) -> GrantView:
    """Returns the grant of an order with its quantities and facts."""
    bought = None if grant.acquired_at is None else quantity or 1
    left = None
    if bought is not None and grant.ended_at is not None:
        left = 0
    elif bought is not None and is_whole:
        known = (OrderAdjustment(OrderFactKind(one.kind), one.fact_id, one.quantity, one.occurred_at) for one in facts)
        left = copies_left(bought, known)
    return replace(grant, quantity=bought, copies_left=left, ended_by=ended_by, facts=facts)
