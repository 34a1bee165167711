"""The end of an account: everything of one user, in bounded parts."""

from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.library.models import Category, Grant, ItemCategory, LibraryItem, WantedProduct
from gameshelf.library.store.parts import user
from sqlalchemy import Integer, bindparam, delete, select, tuple_
from sqlmodel import col


def _some_of(table: Any, *key: Any) -> Statement:
    chunk = select(*key).where(key[0] == user()).limit(bindparam("limit", type_=Integer))
    return Statement(delete(table).where(key[0] == user(), tuple_(*key).in_(chunk)))


# What refers to other rows goes before them: a cascade is not bounded.
_ERASE = (
    _some_of(
        ItemCategory,
        col(ItemCategory.user_id),
        col(ItemCategory.library_item_id),
        col(ItemCategory.category_id),
    ),
    _some_of(WantedProduct, col(WantedProduct.user_id), col(WantedProduct.product_id)),
    _some_of(Category, col(Category.user_id), col(Category.id)),
    _some_of(LibraryItem, col(LibraryItem.user_id), col(LibraryItem.id)),
    _some_of(Grant, col(Grant.user_id), col(Grant.product_id), col(Grant.kind), col(Grant.source_id)),
)


async def erase_some(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes at most ``limit`` rows of one table; whether there may be more."""
    for statement in _ERASE:
        if await statement.run(connection, user_id=user_id, limit=limit):
            return True
    return False
