"""Categories, and which items are in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.folding import fold_name
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, rows, user
from gameshelf.library._models import Category, ItemCategory
from sqlalchemy import Integer, String, Uuid, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ID = bindparam("category_id", type_=Uuid)
_NAME = bindparam("name", type_=String)
_KEY = bindparam("name_key", type_=String)
_ORDER = bindparam("display_order", type_=Integer)

_ALL = Statement(
    select(
        col(Category.id),
        col(Category.name),
        col(Category.name_key),
        col(Category.display_order),
        col(Category.created_at),
    )
    .where(col(Category.user_id) == user())
    .order_by(col(Category.created_at), col(Category.id))
)
_INSERT = Statement(
    insert(Category)
    .values(user_id=user(), id=_ID, name=_NAME, name_key=_KEY, display_order=_ORDER)
    .on_conflict_do_nothing()
)
_keyed = rows("keyed", id=("ids", Uuid), name_key=("name_keys", String))
_SET_KEYS = Statement(
    update(Category)
    .values(name_key=_keyed.c.name_key)
    .where(col(Category.user_id) == user(), col(Category.id) == _keyed.c.id)
)
# Users in the order of their ids who have a category whose key is not known, or belongs to another category.
_UNKEYED = Statement(
    select(col(Category.user_id))
    .distinct()
    .where(col(Category.name_key).is_(None), col(Category.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(Category.user_id))
    .limit(bindparam("limit", type_=Integer))
)
_UPDATE = Statement(
    update(Category)
    .values(
        name=bindparam("new_name"),
        name_key=None,
        display_order=bindparam("new_order"),
        updated_at=func.now(),
    )
    .where(col(Category.user_id) == user(), col(Category.id) == _ID)
)
_DELETE = Statement(delete(Category).where(col(Category.user_id) == user(), col(Category.id) == _ID))
_EXISTING = Statement(
    select(col(Category.id)).where(
        col(Category.user_id) == user(), col(Category.id) == any_(array("category_ids", Uuid))
    )
)
_pairs = rows("pairs", item_id=("item_ids", Uuid), category_id=("category_ids", Uuid))
_TAKE_OUT = Statement(
    delete(ItemCategory).where(
        col(ItemCategory.user_id) == user(),
        col(ItemCategory.library_item_id) == _pairs.c.item_id,
        col(ItemCategory.category_id) == _pairs.c.category_id,
    )
)
_PUT_IN = Statement(
    insert(ItemCategory)
    .from_select(
        ["user_id", "library_item_id", "category_id"],
        select(user(), _pairs.c.item_id, _pairs.c.category_id),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)
_OF_ITEMS = Statement(
    select(col(ItemCategory.library_item_id), col(ItemCategory.category_id)).where(
        col(ItemCategory.user_id) == user(), col(ItemCategory.library_item_id) == any_(array("item_ids", Uuid))
    )
)

Pair = tuple[UUID, UUID]
"""An item and a category."""


@dataclass(frozen=True, slots=True)
class StoredCategory:
    """A category with what decides whether names are the same."""

    id: UUID
    name: str
    name_key: str | None
    """The stored key: null, or the folded form of an older name, where another version has renamed the category."""
    display_order: int
    created_at: datetime

    @property
    def key(self) -> str:
        """The folded name, which no other category of the user may have."""
        return fold_name(self.name)


_CATEGORY = RowReader(StoredCategory, _ALL)


class CategoryStore:
    """Categories over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def user_categories(self, user_id: UUID) -> list[StoredCategory]:
        """Returns all categories of a user, the oldest first."""
        return _CATEGORY.read_all(await _ALL.all(self._connection, user_id=user_id))

    async def insert(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> bool:
        """False when the user has a category of that name."""
        inserted = await _INSERT.run(
            self._connection,
            user_id=user_id,
            category_id=category_id,
            name=name,
            name_key=fold_name(name),
            display_order=display_order,
        )
        return inserted == 1

    async def settle_keys(self, user_id: UUID, categories: Iterable[StoredCategory]) -> None:
        """Stores the keys of all of a user's categories, given the oldest first, where other keys are stored.

        Several may have the same folded name, from before names were folded; then the oldest has the key.
        """
        keys: dict[str, UUID] = {}
        wrong = []
        for one in categories:
            key = one.key if keys.setdefault(one.key, one.id) == one.id else None
            if key != one.name_key:
                wrong.append((one, key))
        # First the keys that are no longer right are cleared: until then no other category can have them.
        for made in (False, True):
            changed = [(one.id, key) for one, key in wrong if (made and key) or (not made and one.name_key)]
            if changed:
                ids = [category_id for category_id, _ in changed]
                keys_now = [key if made else None for _, key in changed]
                await _SET_KEYS.run(self._connection, user_id=user_id, ids=ids, name_keys=keys_now)

    async def update(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> None:
        """Writes a category without its key; ``settle_keys`` has to be called next."""
        await _UPDATE.run(
            self._connection,
            user_id=user_id,
            category_id=category_id,
            new_name=name,
            new_order=display_order,
        )

    async def delete(self, user_id: UUID, category_id: UUID) -> bool:
        """False when there was no such category; its games stay in the library."""
        return await _DELETE.run(self._connection, user_id=user_id, category_id=category_id) == 1

    async def existing(self, user_id: UUID, category_ids: Iterable[UUID]) -> set[UUID]:
        """Returns those of the ids that are categories of the user."""
        rows = await _EXISTING.all(self._connection, user_id=user_id, category_ids=list(category_ids))
        return {row["id"] for row in rows}

    async def of_items(self, user_id: UUID, item_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
        """Returns the categories of each of these items."""
        found: dict[UUID, set[UUID]] = {item_id: set() for item_id in item_ids}
        for row in await _OF_ITEMS.all(self._connection, user_id=user_id, item_ids=list(found)):
            found[row["library_item_id"]].add(row["category_id"])
        return found

    async def put_in(self, user_id: UUID, pairs: Sequence[Pair]) -> None:
        """Puts items into categories."""
        await _PUT_IN.run(self._connection, user_id=user_id, **_lists(pairs))

    async def take_out(self, user_id: UUID, pairs: Sequence[Pair]) -> None:
        """Takes items out of categories."""
        await _TAKE_OUT.run(self._connection, user_id=user_id, **_lists(pairs))


async def users_without_keys(connection: Connection, after: UUID, limit: int) -> list[UUID]:
    """Returns at most ``limit`` users with ids greater than ``after``, in order, who have a category without a key."""
    return [row["user_id"] for row in await _UNKEYED.all(connection, after=after, limit=limit)]


def _lists(pairs: Sequence[Pair]) -> dict[str, list[UUID]]:
    return {"item_ids": [item_id for item_id, _ in pairs], "category_ids": [category_id for _, category_id in pairs]}
