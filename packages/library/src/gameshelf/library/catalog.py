"""The catalog projection: what the Catalog has said of products.

Each field is the last writer's, by the Catalog's own time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.text import fold
from gameshelf.library.models import CatalogVersion, Product, WantedProduct
from gameshelf.library.rules import is_newer
from sqlalchemy import ARRAY, DateTime, Integer, Uuid, any_, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

FIELDS = (
    "product_type",
    "title_ru",
    "title_en",
    "cover_image_url",
    "is_free_to_play",
    "family_sharing_allowed",
)
"""The fields that the Catalog may set, each with a time of its own in the column ``<field>_at``."""

_ASK_AGAIN = timedelta(minutes=10)

_COLUMNS = (*FIELDS, *(f"{name}_at" for name in FIELDS), "sort_key_ru", "sort_key_en")
_KEY = col(Product.product_id)

# Taken first by every writer of the projection: it counts the commits and makes the writers wait for each other.
_NEXT_VERSION = Statement(update(CatalogVersion).values(version=col(CatalogVersion.version) + 1))
_ENSURE = Statement(
    insert(Product)
    .from_select(
        ["product_id"],
        select(func.unnest(bindparam("product_ids", type_=ARRAY(Uuid)))),
        include_defaults=False,
    )
    .on_conflict_do_nothing(index_elements=["product_id"])
)
_CURRENT = Statement(
    select(_KEY, *(getattr(Product, name) for name in _COLUMNS))
    .where(any_(bindparam("product_ids", type_=ARRAY(Uuid))) == _KEY)
    .order_by(_KEY)
    .with_for_update()
)
_WRITE = Statement(
    update(Product)
    .values({name: bindparam(f"new_{name}", type_=Product.__table__.c[name].type) for name in _COLUMNS})  # type: ignore[attr-defined]
    .where(bindparam("product_id", type_=Uuid) == _KEY)
)
_heard = select(_KEY).where(col(WantedProduct.product_id) == _KEY).exists()
_FORGET_HEARD = Statement(delete(WantedProduct).where(_heard))
_due = (
    select(col(WantedProduct.user_id), col(WantedProduct.product_id))
    .where(col(WantedProduct.ask_after) <= bindparam("now", type_=DateTime(timezone=True)))
    .order_by(col(WantedProduct.ask_after))
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_TAKE_WANTED = Statement(
    update(WantedProduct)
    .values(ask_after=bindparam("again", type_=DateTime(timezone=True)))
    .where(tuple_(col(WantedProduct.user_id), col(WantedProduct.product_id)).in_(_due))
    .returning(col(WantedProduct.product_id))
)


@dataclass(frozen=True, slots=True)
class ProductFact:
    """What the Catalog said of one product at one time; a field that it did not mention is left out of ``values``."""

    product_id: UUID
    said_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    """By names of ``FIELDS``."""


def merge(product: dict[str, Any], fact: ProductFact, now: datetime) -> dict[str, Any]:
    """The product's columns once ``fact`` is known too: every field keeps its newest value."""
    said_at = not_in_future(fact.said_at, now)
    merged = dict(product)
    for name, value in fact.values.items():
        if is_newer(said_at, merged[f"{name}_at"]):
            merged[name], merged[f"{name}_at"] = value, said_at
    ru, en = merged["title_ru"], merged["title_en"]
    merged["sort_key_ru"] = fold(ru or en) if ru or en else None
    merged["sort_key_en"] = fold(en or ru) if ru or en else None
    return merged


class CatalogProjection:
    """The products over one connection that is inside a transaction."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def apply(self, facts: Sequence[ProductFact]) -> None:
        """Takes over what the Catalog said, in any order, twice or late."""
        if not facts:
            return
        now = self._clock()
        product_ids = sorted({fact.product_id for fact in facts})
        await _NEXT_VERSION.run(self._connection)
        await _ENSURE.run(self._connection, product_ids=product_ids)
        rows = await _CURRENT.all(self._connection, product_ids=product_ids)
        before = {row["product_id"]: dict(row) for row in rows}
        after = _merge_all(before, facts, now)
        for product_id, columns in after.items():
            if columns != before[product_id]:
                await _WRITE.run(
                    self._connection,
                    product_id=product_id,
                    **{f"new_{name}": columns[name] for name in _COLUMNS},
                )

    async def take_wanted(self, limit: int) -> list[UUID]:
        """Products to ask the Catalog for; each is given out again only after 10 minutes."""
        now = self._clock()
        await _FORGET_HEARD.run(self._connection)
        rows = await _TAKE_WANTED.all(self._connection, now=now, again=now + _ASK_AGAIN, limit=limit)
        return sorted({row["product_id"] for row in rows})


def _merge_all(
    products: dict[UUID, dict[str, Any]], facts: Iterable[ProductFact], now: datetime
) -> dict[UUID, dict[str, Any]]:
    merged = dict(products)
    for fact in facts:
        merged[fact.product_id] = merge(merged[fact.product_id], fact, now)
    return merged
