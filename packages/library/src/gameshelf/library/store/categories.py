"""Categories, and which items are in them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import array, rows, user
from gameshelf.library.models import Category, ItemCategory
from sqlalchemy import Integer, String, Uuid, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ID = bindparam("category_id", type_=Uuid)
_ITEM_ID = bindparam("item_id", type_=Uuid)
_NAME = bindparam("name", type_=String)
_ORDER = bindparam("display_order", type_=Integer)

_COUNT = Statement(select(func.count().label("n")).select_from(Category).where(col(Category.user_id) == user()))
_INSERT = Statement(
    insert(Category)
    .values(user_id=user(), id=_ID, name=_NAME, display_order=_ORDER)
    .on_conflict_do_nothing(index_elements=["user_id", "name"])
)
_OF_NAME = Statement(select(col(Category.id)).where(col(Category.user_id) == user(), col(Category.name) == _NAME))
_UPDATE = Statement(
    update(Category)
    .values(name=bindparam("new_name"), display_order=bindparam("new_order"), updated_at=func.now())
    .where(col(Category.user_id) == user(), col(Category.id) == _ID)
)
_DELETE = Statement(delete(Category).where(col(Category.user_id) == user(), col(Category.id) == _ID))
_EXISTING = Statement(
    select(col(Category.id)).where(
        col(Category.user_id) == user(), col(Category.id) == any_(array("category_ids", Uuid))
    )
)
_TAKE_OUT = Statement(
    delete(ItemCategory).where(
        col(ItemCategory.user_id) == user(),
        col(ItemCategory.library_item_id) == _ITEM_ID,
        col(ItemCategory.category_id) != func.all(array("category_ids", Uuid)),
    )
)
_PUT_IN = Statement(
    insert(ItemCategory)
    .from_select(
        ["user_id", "library_item_id", "category_id"],
        select(user(), _ITEM_ID, rows("chosen", category_id=("category_ids", Uuid)).c.category_id),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)


class CategoryStore:
    """Categories over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def count(self, user_id: UUID) -> int:
        row = await _COUNT.first(self._connection, user_id=user_id)
        return row["n"] if row else 0

    async def insert(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> bool:
        """False when the user has a category of that name."""
        inserted = await _INSERT.run(
            self._connection, user_id=user_id, category_id=category_id, name=name, display_order=display_order
        )
        return inserted == 1

    async def of_name(self, user_id: UUID, name: str) -> UUID | None:
        row = await _OF_NAME.first(self._connection, user_id=user_id, name=name)
        return row["id"] if row else None

    async def update(self, user_id: UUID, category_id: UUID, name: str, display_order: int) -> None:
        await _UPDATE.run(
            self._connection, user_id=user_id, category_id=category_id, new_name=name, new_order=display_order
        )

    async def delete(self, user_id: UUID, category_id: UUID) -> bool:
        """False when there was none; the games in it stay in the library."""
        return await _DELETE.run(self._connection, user_id=user_id, category_id=category_id) == 1

    async def existing(self, user_id: UUID, category_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are categories of the user's."""
        rows = await _EXISTING.all(self._connection, user_id=user_id, category_ids=list(category_ids))
        return {row["id"] for row in rows}

    async def put_item_in(self, user_id: UUID, item_id: UUID, category_ids: Sequence[UUID]) -> bool:
        """Puts an item into exactly these categories; whether that changed anything."""
        removed = await _TAKE_OUT.run(self._connection, user_id=user_id, item_id=item_id, category_ids=category_ids)
        added = await _PUT_IN.run(self._connection, user_id=user_id, item_id=item_id, category_ids=category_ids)
        return bool(removed or added)
