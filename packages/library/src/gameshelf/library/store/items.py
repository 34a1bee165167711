"""Items: one row a (user, product), whichever fact made it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.library.installations import Installations, dump, load
from gameshelf.library.item_ids import bounds_of, item_id, masked, masked_sql
from gameshelf.library.models import AcquisitionType, LibraryItem
from gameshelf.library.rules import Ownership, Playtime, known_rating
from gameshelf.library.store.parts import installations_of
from gameshelf.library.visible import FENCE
from sqlalchemy import BigInteger, Boolean, Double, String, Text, Uuid, any_, cast, func, select, true, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What a decision about an item depends on."""

    id: UUID
    product_id: UUID
    ownership: Ownership | None
    """None while the user does not own the product."""
    installations: Installations
    is_hidden: bool
    user_rating: float | None
    rating_changed_at: datetime | None
    """None also where what is stored is no rating: any other one counts more."""
    is_shared: bool = False
    """Whether somebody shares the game with the user: then they see it though they don't own it."""

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
# Every spelling of an id lies between two of them: the rows of each id are looked up by the index, whatever they hold.
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
_owned = rows(
    "owned",
    id=("ids", Uuid),
    acquisition_type=("acquisition_types", String),
    added_at=("times", TIME),
    product_type=("product_types", String),
)


def _in_order(given: Any, on: Any) -> Any:
    """The user's items that ``given`` is about, locked in the order in which everybody locks copies: whoever plays
    several copies of the user's holds some of these rows. An update alone would take them in an order of its own.
    """
    found = select(col(LibraryItem.id), *(column for column in given.c if column.name != "id"))
    found = found.select_from(given).join(LibraryItem, on).where(col(LibraryItem.user_id) == user())
    in_order = found.order_by(col(LibraryItem.product_id)).with_for_update(key_share=True, of=LibraryItem)
    return in_order.cte("in_order")


_owned_in_order = _in_order(_owned, col(LibraryItem.id) == _owned.c.id)
_SET_OWNERSHIP = Statement(
    update(LibraryItem)
    .values(
        acquisition_type=_owned_in_order.c.acquisition_type,
        added_at=_owned_in_order.c.added_at,
        # An item that an installation made before its purchase was heard of learns its type here.
        product_type=func.coalesce(LibraryItem.product_type, _owned_in_order.c.product_type),
        updated_at=func.now(),
    )
    .where(col(LibraryItem.user_id) == user(), col(LibraryItem.id) == _owned_in_order.c.id)
)
_played = rows("played", product_id=("product_ids", Uuid), total=("totals", BigInteger), last=("times", TIME))
_played_in_order = _in_order(_played, col(LibraryItem.product_id) == _played.c.product_id)
_SET_PLAYTIME = Statement(
    update(LibraryItem)
    .values(
        total_playtime_seconds=_played_in_order.c.total,
        last_played_at=_played_in_order.c.last,
        updated_at=func.now(),
    )
    .where(col(LibraryItem.user_id) == user(), col(LibraryItem.id) == _played_in_order.c.id)
)
_state = rows(
    "state",
    id=("ids", Uuid),
    is_hidden=("hidden", Boolean),
    status=("statuses", String),
    version=("versions", String),
    changed_at=("times", TIME),
    installations=("installations", Text),
    account_at=("account_times", TIME),
    rating=("ratings", Double),
    rated_at=("rating_times", TIME),
)
_state_in_order = _in_order(_state, col(LibraryItem.id) == _state.c.id)
_SET_STATE = Statement(
    update(LibraryItem)
    .values(
        is_hidden=_state_in_order.c.is_hidden,
        installation_status=_state_in_order.c.status,
        installed_version_id=_state_in_order.c.version,
        installation_changed_at=_state_in_order.c.changed_at,
        installations=cast(_state_in_order.c.installations, JSONB),
        installations_at=_state_in_order.c.changed_at,
        installations_account_at=_state_in_order.c.account_at,
        user_rating=_state_in_order.c.rating,
        rating_changed_at=_state_in_order.c.rated_at,
        updated_at=func.now(),
    )
    .where(col(LibraryItem.user_id) == user(), col(LibraryItem.id) == _state_in_order.c.id)
)


class ItemStore:
    """Items over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def made(self, user_id: UUID, product_ids: Iterable[UUID]) -> list[StoredItem]:
        """The items of these products, by product, each made if it is not there yet."""
        products = sorted(set(product_ids))
        found = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=products)
        if len(found) < len(products):
            ids = [item_id(user_id, product_id) for product_id in products]
            await _MAKE.run(self._connection, user_id=user_id, ids=ids, product_ids=products)
            found = await _OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=products)
        return [_stored_item(row) for row in found]

    async def of_ids(self, user_id: UUID, item_ids: Iterable[UUID]) -> list[StoredItem]:
        """The items of these ids, however they are spelled, with or without access."""
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
        """Writes the ownership that items show from now on; None takes an item out of sight.

        ``product_types`` is what a purchase called its products.
        """
        await _SET_OWNERSHIP.run(
            self._connection,
            user_id=user_id,
            ids=[item.id for item, _ in changed],
            acquisition_types=[owned.acquisition_type if owned else None for _, owned in changed],
            times=[owned.added_at if owned else None for _, owned in changed],
            product_types=[product_types.get(item.product_id) for item, _ in changed],
        )

    async def set_playtime(self, user_id: UUID, played: Sequence[Playtime]) -> None:
        """Writes how long these products' items were played."""
        await _SET_PLAYTIME.run(
            self._connection,
            user_id=user_id,
            product_ids=[one.product_id for one in played],
            totals=[one.total_seconds for one in played],
            times=[one.last_played_at for one in played],
        )

    async def set_state(self, user_id: UUID, items: Sequence[StoredItem]) -> None:
        """Writes the user's own state of items: everything of them but their ownership. One round trip."""
        summaries = [item.installations.summary for item in items]
        await _SET_STATE.run(
            self._connection,
            user_id=user_id,
            ids=[item.id for item in items],
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
        load(*row[7:12]),
        row["is_hidden"],
        rating,
        row["rating_changed_at"] if rating == row["user_rating"] else None,
    )
