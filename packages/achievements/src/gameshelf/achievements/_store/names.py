"""Achievements by the names that the developers of their games gave them."""

from collections.abc import Collection
from uuid import UUID

from gameshelf.achievements._commands import NamedAchievement
from gameshelf.achievements._models import AchievementMetadata
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import rows
from sqlalchemy import Text, Uuid, and_, select
from sqlmodel import col

_M = AchievementMetadata

_names = rows("names", product_id=("product_ids", Uuid), api_name=("api_names", Text))
_NAMED = Statement(
    select(col(_M.product_id), col(_M.api_name), col(_M.id))
    .join(_names, and_(col(_M.product_id) == _names.c.product_id, col(_M.api_name) == _names.c.api_name))
    .order_by(col(_M.id).desc())
)


async def ids_of(connection: Connection, names: Collection[NamedAchievement]) -> dict[NamedAchievement, UUID]:
    """Returns the ids of the achievements that exist; of two with one name the lower id. One round trip."""
    found = await _NAMED.all(
        connection,
        product_ids=[name.product_id for name in names],
        api_names=[name.api_name for name in names],
    )
    return {NamedAchievement(row["product_id"], row["api_name"]): row["id"] for row in found}
