"""What a launcher shows of a user's saves: by product how a device stands to them, and the storage with its limit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, user
from gameshelf.savegames._models import SavegameConflict, SavegameDevice
from gameshelf.savegames._store.expressions import S, one_version
from gameshelf.savegames._store.usage import UsageStore, UsedStorage
from sqlalchemy import Integer, String, Uuid, and_, any_, bindparam, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col

_X, _D = SavegameConflict, SavegameDevice


class DeviceSaveState(StrEnum):
    """How a device stands to the saves of a product: it has all of them (`synced`), a save has a newer version, or
    one that the device never had (`newer_elsewhere`), or the user has to resolve a conflict first (`conflict`).
    """

    SYNCED = "synced"
    NEWER_ELSEWHERE = "newer_elsewhere"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class ProductSaves:
    """The saves of a product, without those in the trash."""

    product_id: UUID
    save_count: int
    conflict_count: int
    """Open conflicts, whatever device they are about."""
    last_saved_at: datetime
    """When the newest head was uploaded."""
    last_device_id: str | None
    """The device that uploaded it, if it was named."""
    missing_count: int
    """Saves whose head the device neither uploaded nor reported."""

    @property
    def state(self) -> DeviceSaveState:
        """The state of the device that was asked about."""
        if self.conflict_count:
            return DeviceSaveState.CONFLICT
        return DeviceSaveState.NEWER_ELSEWHERE if self.missing_count else DeviceSaveState.SYNCED


_head = one_version(col(S.id), col(S.head_version), "head")
_conflict_count = (
    select(func.count())
    .where(col(_X.user_id) == user(), col(_X.slot_id) == col(S.id), col(_X.resolved_at).is_(None))
    .correlate(S)
    .scalar_subquery()
)
_saves = (
    select(
        col(S.product_id),
        _conflict_count.label("conflict_count"),
        _head.c.server_uploaded_at,
        _head.c.device_id,
        col(_D.version).is_distinct_from(col(S.head_version)).label("is_missing"),
    )
    .select_from(S)
    .join(_head, true())
    .outerjoin(
        _D,
        and_(
            col(_D.user_id) == user(),
            col(_D.slot_id) == col(S.id),
            # No device has an empty id. Citus does not plan a join that meets no row for these values, as with NULL.
            col(_D.device_id) == func.coalesce(bindparam("device_id", type_=String), literal_column("''")),
        ),
    )
    .where(col(S.user_id) == user(), col(S.deleted_at).is_(None), col(S.product_id) == any_(array("product_ids", Uuid)))
    .subquery("saves")
)
_newest_first = aggregate_order_by(_saves.c.device_id, _saves.c.server_uploaded_at.desc())
_OF_PRODUCTS = Statement(
    select(
        _saves.c.product_id,
        func.count().label("save_count"),
        cast(func.sum(_saves.c.conflict_count), Integer).label("conflict_count"),
        func.max(_saves.c.server_uploaded_at).label("last_saved_at"),
        func.array_agg(_newest_first).label("device_ids"),
        func.count().filter(_saves.c.is_missing).label("missing_count"),
    ).group_by(_saves.c.product_id)
)
_PRODUCT_SAVES = RowReader(ProductSaves, _OF_PRODUCTS, given=("last_device_id",), others=("device_ids",))


class SavegameSummaries:
    """Reads over one connection, which needs no transaction. Each method is one round trip.

    ``quota_bytes`` is the limit of users for whom support has set none.
    """

    def __init__(self, connection: Connection, quota_bytes: int) -> None:
        self._connection = connection
        self._quota_bytes = quota_bytes

    @staticmethod
    def lookup_of_products(user_id: UUID, product_ids: Sequence[UUID], device_id: str | None) -> BoundStatement:
        """Returns what ``of_products`` reads."""
        return _OF_PRODUCTS.bind(user_id=user_id, product_ids=list(product_ids), device_id=device_id)

    async def of_products(
        self, user_id: UUID, product_ids: Sequence[UUID], device_id: str | None
    ) -> dict[UUID, ProductSaves]:
        """Returns those of these products that have saves. Without a device all of their saves count as missing."""
        rows = await self.lookup_of_products(user_id, product_ids, device_id).all(self._connection)
        found = (_PRODUCT_SAVES.read(row, last_device_id=row["device_ids"][0]) for row in rows)
        return {one.product_id: one for one in found}

    @staticmethod
    def lookup_storage(user_id: UUID) -> BoundStatement:
        """Returns what ``storage`` reads."""
        return UsageStore.lookup_used_storage(user_id)

    async def storage(self, user_id: UUID) -> UsedStorage:
        """Returns the storage that the user's saves use; the limit is never None."""
        used = await UsageStore(self._connection).used_storage(user_id)
        return used if used.limit_bytes is not None else replace(used, limit_bytes=self._quota_bytes)
