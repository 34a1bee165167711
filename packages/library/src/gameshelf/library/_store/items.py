"""Items: one row per user and product, whichever fact created it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.library._installations import Installations, dump, load
from gameshelf.library._item_ids import bounds_of, item_id, masked, masked_sql
from gameshelf.library._models import AcquisitionType, LibraryItem
from gameshelf.library._rules import Ownership, Playtime, known_rating
from gameshelf.library._shares.marks import mark_change
from gameshelf.library._store.expressions import installations_of
from gameshelf.library._visible import FENCE
from sqlalchemy import BigInteger, Boolean, Double, String, Uuid, any_, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item with what decisions about it depend on."""

    id: UUID
    product_id: UUID
    ownership: Ownership | None
    """None while the user does not own the product."""
    installations: Installations
    is_hidden: bool
    user_rating: float | None
    rating_changed_at: datetime | None
    """None also where the stored value is not a rating: any other rating counts more."""
    is_shared: bool = False
    """Whether somebody shares the game with the user, who then sees it without owning it."""

    @property
    def is_seen(self) -> bool:
        return self.ownership is not None or self.is_shared


_wanted = rows("wanted", id=("ids", Uuid), product_id=("product_ids", Uuid))
_MAKE = Statement(
    insert(LibraryItem)
    .from_select(["user_id", "id", "product_id"], select(user(), *_wanted.c), include_defaults=False)
    .on_conflict_do_nothing(index_elements=["user_id", "product_id"])
)
_stored = select(
    col(LibraryItem.id),
    col(LibraryItem.product_id),
    col(LibraryItem.acquisition_type),
    col(LibraryItem.added_at),
    col(LibraryItem.is_hidden),
    col(LibraryItem.user_rating),
    col(LibraryItem.rating_changed_at),
    installations_of(LibraryItem).label("installations"),
    col(LibraryItem.installations_account_at),
    col(LibraryItem.installation_status),
    col(LibraryItem.installed_version_id),
    col(LibraryItem.installation_changed_at),
).where(col(LibraryItem.user_id) == user())
_OF_PRODUCTS = Statement(
    _stored.where(col(LibraryItem.product_id) == any_(array("product_ids", Uuid))).order_by(col(LibraryItem.product_id))
)
# All spellings of an id lie between the first and the last one, so the index finds the rows of each id.
_asked = rows("asked", first=("first_ids", Uuid), last=("last_ids", Uuid))
_found = (
    _stored.where(
        col(LibraryItem.id).between(_asked.c.first, _asked.c.last),
        masked_sql(col(LibraryItem.id)) == masked_sql(_asked.c.first),
    )
    .offset(FENCE)
    .lateral("found")
)
_OF_IDS = Statement(select(*_found.c).select_from(_asked).join(_found, true()))


def _change(given: Any, *columns: str, beside: Any = None, **also: Any) -> Statement:
    """Writes these columns of items that exist, from ``given``, which names each by ``id`` and ``product_id``.

    An upsert finds each row by its key and needs no statistics. With statistics of a nearly empty table the planner
    expects one row per user, and an UPDATE ... FROM would read all rows of the user once for each of them.

    Rows are locked in the order in which every transaction locks copies: a member who plays several copies of the
    user locks some of them.

    ``beside`` is a CTE that runs in the same statement.
    """
    names = ["user_id", "id", "product_id", *columns, "updated_at"]
    source = select(user(), given.c.id, given.c.product_id, *(given.c[name] for name in columns), func.now())
    existing = insert(LibraryItem).from_select(names, source.order_by(given.c.product_id), include_defaults=False)
    written = {name: existing.excluded[name] for name in (*columns, "updated_at")}
    change = existing.on_conflict_do_update(
        index_elements=["user_id", "id"],
        set_=written | {name: value(existing.excluded) for name, value in also.items()},
    )
    return Statement(change if beside is None else change.add_cte(beside))


_owned = rows(
    "owned",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    acquisition_type=("acquisition_types", String),
    added_at=("times", TIME),
    product_type=("product_types", String),
)
_SET_OWNERSHIP = _change(
    _owned,
    "acquisition_type",
    "added_at",
    "product_type",
    beside=mark_change(user()).cte("marked"),
    # An item that an installation created before its purchase was received gets its type here.
    product_type=lambda said: func.coalesce(LibraryItem.product_type, said.product_type),
)
_SET_PLAYTIME = _change(
    rows(
        "played",
        id=("ids", Uuid),
        product_id=("product_ids", Uuid),
        total_playtime_seconds=("totals", BigInteger),
        last_played_at=("times", TIME),
    ),
    "total_playtime_seconds",
    "last_played_at",
)
_state = rows(
    "state",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    is_hidden=("hidden", Boolean),
    installation_status=("statuses", String),
    installed_version_id=("versions", String),
    installation_changed_at=("times", TIME),
    installations=("installations", JSONB),
    installations_at=("times", TIME),
    installations_account_at=("account_times", TIME),
    user_rating=("ratings", Double),
    rating_changed_at=("rating_times", TIME),
)
_SET_STATE = _change(_state, *(column.name for column in _state.c if column.name not in ("id", "product_id")))


def lookup_items(user_id: UUID, product_ids: Iterable[UUID]) -> BoundStatement:
    """Returns what ``ItemStore.ensure_items`` reads."""
    return _OF_PRODUCTS.bind(user_id=user_id, product_ids=sorted(set(product_ids)))


class ItemStore:
    """Items over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ensure_items(self, user_id: UUID, product_ids: Iterable[UUID]) -> list[StoredItem]:
        """Returns the items of these products, by product; creates those that do not exist yet."""
        products = sorted(set(product_ids))
        found = await lookup_items(user_id, products).all(self._connection)
        if len(found) < len(products):
            await self.make_items(user_id, products)
            found = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=products)
        return [_stored_item(row) for row in found]

    async def of_products(self, user_id: UUID, product_ids: Iterable[UUID]) -> list[StoredItem]:
        """Returns the items of these products, by product, as they would be made where they do not exist yet."""
        found = {
            row["product_id"]: _stored_item(row)
            for row in await lookup_items(user_id, product_ids).all(self._connection)
        }
        return [
            found.get(product_id)
            or StoredItem(item_id(user_id, product_id), product_id, None, Installations(), False, None, None)
            for product_id in sorted(set(product_ids))
        ]

    async def make_items(self, user_id: UUID, product_ids: Iterable[UUID]) -> None:
        """Makes the items of these products that do not exist yet. Nobody owns them."""
        products = sorted(set(product_ids))
        ids = [item_id(user_id, product_id) for product_id in products]
        await _MAKE.write(self._connection, user_id=user_id, ids=ids, product_ids=products)

    async def of_ids(self, user_id: UUID, item_ids: Iterable[UUID]) -> list[StoredItem]:
        """Returns the items of these ids in any spelling, with or without access."""
        bounds = [bounds_of(one) for one in sorted({masked(one) for one in item_ids})]
        rows = await _OF_IDS.all(
            self._connection,
            user_id=user_id,
            first_ids=[first for first, _ in bounds],
            last_ids=[last for _, last in bounds],
        )
        return [_stored_item(row) for row in rows]

    async def set_ownership(
        self,
        user_id: UUID,
        changed: Sequence[tuple[StoredItem, Ownership | None]],
        product_types: Mapping[UUID, str | None],
    ) -> None:
        """Writes the ownership that items show from now on; with None an item is no longer shown. Makes those that are
        missing.

        ``product_types`` are the types of the products according to a purchase.
        """
        await _SET_OWNERSHIP.write(
            self._connection,
            user_id=user_id,
            ids=[item.id for item, _ in changed],
            product_ids=[item.product_id for item, _ in changed],
            acquisition_types=[owned.acquisition_type if owned else None for _, owned in changed],
            times=[owned.added_at if owned else None for _, owned in changed],
            product_types=[product_types.get(item.product_id) for item, _ in changed],
        )

    async def set_playtime(self, user_id: UUID, played: Sequence[tuple[StoredItem, Playtime]]) -> None:
        """Writes how long these items were played."""
        await _SET_PLAYTIME.write(
            self._connection,
            user_id=user_id,
            ids=[item.id for item, _ in played],
            product_ids=[item.product_id for item, _ in played],
            totals=[one.total_seconds for _, one in played],
            times=[one.last_played_at for _, one in played],
        )

    async def set_state(self, user_id: UUID, items: Sequence[StoredItem]) -> None:
        """Writes the user's own state of items, each once: everything but their ownership. One round trip."""
        summaries = [item.installations.summary for item in items]
        await _SET_STATE.run(
            self._connection,
            user_id=user_id,
            ids=[item.id for item in items],
            product_ids=[item.product_id for item in items],
            hidden=[item.is_hidden for item in items],
            statuses=[one.installation_status for one in summaries],
            versions=[one.installed_version_id for one in summaries],
            times=[item.installations.newest_at for item in items],
            installations=[dump(item.installations.entries) for item in items],
            account_times=[item.installations.account_at for item in items],
            ratings=[item.user_rating for item in items],
            rating_times=[item.rating_changed_at for item in items],
        )


def _stored_item(row: Any) -> StoredItem:
    kind = row["acquisition_type"]
    owned = Ownership(AcquisitionType(kind), row["added_at"]) if kind else None
    rating = known_rating(row["user_rating"])
    return StoredItem(
        row["id"],
        row["product_id"],
        owned,
        load(
            row["installations"],
            row["installations_account_at"],
            row["installation_status"],
            row["installed_version_id"],
            row["installation_changed_at"],
        ),
        row["is_hidden"],
        rating,
        row["rating_changed_at"] if rating == row["user_rating"] else None,
    )
