"""Whether saves are synchronised without being asked: of the account, and of products. Without a row they are."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.savegames._set_models import SavegamePreference
from gameshelf.savegames._store.expressions import NOW, PRODUCT
from sqlalchemy import delete, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

ACCOUNT = UUID(int=0)
"""In place of a product: the preference of the account."""
MAX_PREFERENCES = 10_000
"""The highest number of products of a user with a preference of their own."""

_T = SavegamePreference
_OF_PRODUCT = (col(_T.user_id) == user(), col(_T.product_id) == PRODUCT)
_FIND = Statement(select(col(_T.auto_sync)).where(*_OF_PRODUCT))
_SWITCH_ON = Statement(delete(SavegamePreference).where(*_OF_PRODUCT))
_count = select(func.count()).select_from(_T).where(col(_T.user_id) == user()).scalar_subquery()
_insert = insert(SavegamePreference).from_select(
    ["user_id", "product_id", "auto_sync", "changed_at"],
    select(user(), PRODUCT, literal(False), NOW).where(_count < literal_column(str(MAX_PREFERENCES))),
    include_defaults=False,
)
_SWITCH_OFF = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "product_id"], set_={"auto_sync": _insert.excluded.auto_sync}
    )
)


class PreferenceStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def auto_sync(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether saves of a product, or of the ``ACCOUNT``, are synchronised without being asked."""
        row = await _FIND.first(self._connection, user_id=user_id, product_id=product_id)
        return row is None or bool(row["auto_sync"])

    async def switch_on(self, user_id: UUID, product_id: UUID) -> None:
        await _SWITCH_ON.run(self._connection, user_id=user_id, product_id=product_id)

    async def switch_off(self, user_id: UUID, product_id: UUID, now: datetime) -> bool:
        """Returns whether it was stored: there are at most ``MAX_PREFERENCES``."""
        return bool(await _SWITCH_OFF.run(self._connection, user_id=user_id, product_id=product_id, now=now))
