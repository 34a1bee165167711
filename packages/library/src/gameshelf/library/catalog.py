"""The catalog projection: what the Catalog has said of products.

Each field is the last writer's, by the Catalog's own time. Products are everybody's: their writers take turns at the
row of ``catalog_version`` and never touch a user's rows, so they can't deadlock with a user's transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.folding import fold_title
from gameshelf.kernel.sql import TIME, array, rows
from gameshelf.kernel.text import NORMALISED
from gameshelf.library.models import CatalogVersion, Product, WantedProduct
from gameshelf.library.rules import is_newer
from gameshelf.library.store.parts import has_title
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import Boolean, Integer, String, Uuid, and_, any_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_Title = Annotated[str, Field(min_length=1, max_length=500), NORMALISED]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_type: Annotated[str, Field(min_length=1, max_length=50), NORMALISED] | None = None
    title_ru: _Title | None = None
    title_en: _Title | None = None
    cover_image_url: Annotated[str, Field(max_length=2000), NORMALISED] | None = None
    is_free_to_play: StrictBool | None = None
    family_sharing_allowed: StrictBool | None = None


FIELDS = tuple(_Values.model_fields)
"""The fields that the Catalog may set, each with a time of its own in the column ``<field>_at``."""

_ASK_AGAIN = timedelta(minutes=10)
# Many rows may want one product: more of them than products are asked for at a time, and yet a bounded number.
_DUE_AT_ONCE = 1000

_COLUMNS = (*FIELDS, *(f"{name}_at" for name in FIELDS), "sort_key_ru", "sort_key_en")
_KEY = col(Product.product_id)

# Taken first by every writer. What it reads next is a statement of its own, and so sees what the one before committed.
_TAKE_TURN = Statement(select(col(CatalogVersion.version)).with_for_update())
_COUNT_CHANGE = Statement(update(CatalogVersion).values(version=col(CatalogVersion.version) + 1))
_CURRENT = Statement(
    select(_KEY, *(getattr(Product, name) for name in _COLUMNS)).where(any_(array("product_ids", Uuid)) == _KEY)
)


def _type(column_name: str) -> Any:
    if column_name.endswith("_at"):
        return TIME
    return Boolean if column_name in ("is_free_to_play", "family_sharing_allowed") else String


_merged = rows("merged", product_id=("product_id", Uuid), **{name: (name, _type(name)) for name in _COLUMNS})
_insert_merged = insert(Product).from_select(["product_id", *_COLUMNS], select(*_merged.c), include_defaults=False)
_WRITE = Statement(
    _insert_merged.on_conflict_do_update(
        index_elements=["product_id"], set_={name: _insert_merged.excluded[name] for name in _COLUMNS}
    )
)

_TITLES = Statement(
    select(_KEY, *(getattr(Product, name) for name in ("title_ru", "title_en", "sort_key_ru", "sort_key_en")))
    .where(bindparam("start", type_=Uuid) <= _KEY)
    .order_by(_KEY)
    .limit(bindparam("limit", type_=Integer))
)
_folded = rows("folded", product_id=("product_ids", Uuid), ru=("keys_ru", String), en=("keys_en", String))
_SET_KEYS = Statement(
    update(Product).values(sort_key_ru=_folded.c.ru, sort_key_en=_folded.c.en).where(_folded.c.product_id == _KEY)
)
_BEGIN_REFOLD = Statement(update(CatalogVersion).values(is_refolding=True))
_END_REFOLD = Statement(
    update(CatalogVersion)
    .values(is_refolding=False, version=col(CatalogVersion.version) + 1)
    .where(col(CatalogVersion.is_refolding).is_(True))
)

# Rows that another instance, or an erasure, is busy with are left to it: here nobody waits.
_DUE = Statement(
    select(
        col(WantedProduct.user_id),
        col(WantedProduct.product_id),
        has_title(col(WantedProduct.product_id)).label("has_title"),
    )
    .where(col(WantedProduct.ask_after) <= bindparam("now", type_=TIME))
    .order_by(col(WantedProduct.ask_after))
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True, of=WantedProduct)
)
_taken = rows("taken", user_id=("user_ids", Uuid), product_id=("product_ids", Uuid))
_is_taken = and_(col(WantedProduct.user_id) == _taken.c.user_id, col(WantedProduct.product_id) == _taken.c.product_id)
_ASK_LATER = Statement(update(WantedProduct).values(ask_after=bindparam("again", type_=TIME)).where(_is_taken))
_FORGET = Statement(delete(WantedProduct).where(_is_taken))


@dataclass(frozen=True, slots=True)
class ProductFact:
    """What the Catalog said of one product at one time (aware); a field that is absent or None was not mentioned.

    Making one brings its texts into NFC, and raises ValueError for a name or a value that no product can have.
    """

    product_id: UUID
    said_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    """Any of ``title_ru``, ``title_en`` (1 to 500 code points), ``cover_image_url`` (at most 2000), ``product_type`` (1
    to 50), ``is_free_to_play`` and ``family_sharing_allowed``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _Values.model_validate(self.values).model_dump(exclude_none=True))


def merge(product: dict[str, Any], fact: ProductFact, now: datetime) -> dict[str, Any]:
    """The product's columns once ``fact`` is known too: every field keeps its newest value.

    A title in one language stands in for the other one in the keys that names are sorted and searched by.
    """
    said_at = not_in_future(fact.said_at, now)
    merged = dict(product)
    for name, value in fact.values.items():
        if is_newer(said_at, merged[f"{name}_at"]):
            merged[name], merged[f"{name}_at"] = value, said_at
    ru, en = merged["title_ru"], merged["title_en"]
    merged["sort_key_ru"], merged["sort_key_en"] = sort_key(ru or en), sort_key(en or ru)
    return merged


def sort_key(title: str | None) -> str | None:
    """What a title is sorted and searched by; a title of punctuation alone keeps its own form, so that it sorts."""
    return None if title is None else fold_title(title) or title.casefold()


class CatalogProjection:
    """The products over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def apply(self, facts: Sequence[ProductFact]) -> None:
        """Takes over what the Catalog said, in any order, twice or late.

        Of two facts of the same time the one applied last wins. ``CATALOG_VERSION`` grows by one if a value changed.
        Writers wait for each other until the transaction ends, so it should end soon.
        """
        if not facts:
            return
        now = self._clock()
        await _TAKE_TURN.first(self._connection)
        product_ids = list({fact.product_id for fact in facts})
        known = {row["product_id"]: row for row in await _CURRENT.all(self._connection, product_ids=product_ids)}
        unheard = dict.fromkeys(_COLUMNS)
        before = {product_id: dict(known.get(product_id, unheard)) for product_id in product_ids}
        after = dict(before)
        for fact in facts:
            after[fact.product_id] = merge(after[fact.product_id], fact, now)
        changed = [
            product_id
            for product_id in product_ids
            if product_id not in known or after[product_id] != before[product_id]
        ]
        if not changed:
            return
        columns = {name: [after[product_id][name] for product_id in changed] for name in _COLUMNS}
        await _WRITE.run(self._connection, product_id=changed, **columns)
        if any(after[product_id][name] != before[product_id][name] for product_id in changed for name in FIELDS):
            await _COUNT_CHANGE.run(self._connection)

    async def refold(self, start: UUID, limit: int) -> UUID | None:
        """Makes the sort keys of up to ``limit`` products from ``start`` on what this version makes of their titles.

        Where to go on; None when these were the last ones. A version before this one, which serves beside it, may have
        written others. ``CATALOG_VERSION`` stays until ``end_refold``: else every library would be read anew for each
        part.
        """
        found = await _TITLES.all(self._connection, start=start, limit=limit)
        if any(_keys_of(row) != (row["sort_key_ru"], row["sort_key_en"]) for row in found):
            await _TAKE_TURN.first(self._connection)
            ids = [row["product_id"] for row in found]
            current = {row["product_id"]: row for row in await _CURRENT.all(self._connection, product_ids=ids)}
            keys = {product_id: _keys_of(row) for product_id, row in current.items()}
            await _SET_KEYS.run(
                self._connection,
                product_ids=list(keys),
                keys_ru=[ru for ru, _ in keys.values()],
                keys_en=[en for _, en in keys.values()],
            )
            await _BEGIN_REFOLD.run(self._connection)
        return UUID(int=found[-1]["product_id"].int + 1) if len(found) == limit else None

    async def end_refold(self) -> None:
        """Counts the change that all parts of ``refold`` together were, if they were any."""
        await _END_REFOLD.run(self._connection)

    async def take_wanted(self, limit: int) -> list[UUID]:
        """At most ``limit`` products whose title to ask the Catalog for; each is given out again after 10 minutes.

        What has become known since is forgotten on the way. The work of a call does not depend on how many are waiting.
        """
        now = self._clock()
        while True:
            due = await _DUE.all(self._connection, now=now, limit=_DUE_AT_ONCE)
            await _FORGET.run(self._connection, **_keys(row for row in due if row["has_title"]))
            untitled = sorted({row["product_id"] for row in due if not row["has_title"]})
            if untitled or len(due) < _DUE_AT_ONCE:
                wanted = untitled[:limit]
                asked = _keys(row for row in due if row["product_id"] in wanted)
                await _ASK_LATER.run(self._connection, again=now + _ASK_AGAIN, **asked)
                return wanted


def _keys_of(row: Any) -> tuple[str | None, str | None]:
    return sort_key(row["title_ru"] or row["title_en"]), sort_key(row["title_en"] or row["title_ru"])


def _keys(rows: Iterable[Any]) -> dict[str, list[UUID]]:
    found = list(rows)
    return {"user_ids": [row["user_id"] for row in found], "product_ids": [row["product_id"] for row in found]}
