"""Reads of achievements: SQL to plain values. Nothing here writes or decides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.achievements._commands import NamedAchievement
from gameshelf.achievements._models import (
    AchievementMetadata,
    AchievementUnlocks,
    OwnedProduct,
    ProductOwners,
    UserAchievement,
)
from gameshelf.achievements._rules import share
from gameshelf.achievements._store.names import ids_of
from gameshelf.achievements._views import Achievement, AchievementRarity, achievements_of_user
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, page_of, rows, user
from sqlalchemy import Uuid, any_, bindparam, func, or_, select, union
from sqlmodel import col

_M, _U, _A, _O = AchievementMetadata, UserAchievement, AchievementUnlocks, ProductOwners


@dataclass(frozen=True, slots=True)
class AchievementSummary:
    """A user's progress with one product: the number of unlocked achievements, and the time of the last unlock."""

    product_id: UUID
    unlocked: int
    total: int
    last_unlocked_at: datetime | None

    @property
    def percentage(self) -> float:
        """The unlocked ones in percent with one decimal, rounded down, so that 100 means all."""
        return share(self.unlocked, self.total)


_ORDER = (col(_M.api_name).asc().nulls_last(), col(_M.id))
_PRODUCT = bindparam("product_id", type_=Uuid)
_OF_PRODUCT = Statement(achievements_of_user().where(col(_M.product_id) == _PRODUCT).order_by(*_ORDER))
_OF_IDS = Statement(achievements_of_user().where(col(_M.id) == any_(array("achievement_ids", Uuid))).order_by(*_ORDER))
_RARITIES = Statement(
    select(
        col(_M.id),
        col(_M.product_id),
        col(_M.api_name),
        col(_M.name_ru),
        col(_M.name_en),
        col(_M.description_ru),
        col(_M.description_en),
        col(_M.icon_url_locked),
        col(_M.icon_url_unlocked),
        func.coalesce(_M.is_hidden, False).label("is_hidden"),
        func.coalesce(_A.unlocks, 0).label("unlocks"),
        func.coalesce(_O.owners, 0).label("owners"),
    )
    .select_from(_M)
    .outerjoin(_A, col(_A.achievement_meta_id) == col(_M.id))
    .outerjoin(_O, col(_O.product_id) == col(_M.product_id))
    .where(col(_M.product_id) == _PRODUCT)
    .order_by(*_ORDER)
)

_mine = union(
    select(col(OwnedProduct.product_id)).where(col(OwnedProduct.user_id) == user()),
    select(col(_U.product_id)).where(col(_U.user_id) == user()),
).subquery("mine")


def _counts_of(products: Any) -> Any:
    """Counts the achievements of each of these products, and those that the user has unlocked; leaves out products
    without achievements.
    """
    defined = select(func.count().label("defined")).where(col(_M.product_id) == products.c.product_id)
    unlocked = select(func.count().label("unlocked"), func.max(col(_U.unlocked_at)).label("last_unlocked_at")).where(
        col(_U.user_id) == user(), col(_U.product_id) == products.c.product_id, col(_U.is_unlocked)
    )
    of_product, of_user = defined.lateral("defined"), unlocked.lateral("unlocked")
    return (
        select(products.c.product_id, of_user.c.unlocked, of_product.c.defined, of_user.c.last_unlocked_at)
        .select_from(products)
        .join(of_product, of_product.c.defined > 0)
        .join(of_user, of_user.c.unlocked >= 0)
    )


_counted = (
    _counts_of(_mine)
    .where(or_(array("product_ids", Uuid).is_(None), _mine.c.product_id == any_(array("product_ids", Uuid))))
    .cte("counted")
)
# Whether the user owns them does not matter: a caller asks for what it shows, such as games that others share.
_OF_PRODUCTS = Statement(_counts_of(rows("asked", product_id=("product_ids", Uuid))))
_SUMMARY = page_of(select(*_counted.c), lambda found: (found.last_unlocked_at.desc().nulls_last(), found.product_id))
_COUNT_UNLOCKED = Statement(
    select(func.count().label("n")).select_from(_U).where(col(_U.user_id) == user(), col(_U.is_unlocked))
)
_ACHIEVEMENT = RowReader(Achievement, _OF_PRODUCT, _OF_IDS)
_RARITY = RowReader(AchievementRarity, _RARITIES)


class AchievementQueries:
    """Reads of achievements over one connection. Each method is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_product(self, user_id: UUID, product_id: UUID) -> list[Achievement]:
        """Returns every achievement of a product with the user's state, ordered by API name."""
        rows = await _OF_PRODUCT.all(self._connection, user_id=user_id, product_id=product_id)
        return _ACHIEVEMENT.read_all(rows)

    async def of_ids(self, user_id: UUID, achievement_ids: Collection[UUID]) -> list[Achievement]:
        """Returns the achievements that exist, with the user's state."""
        rows = await _OF_IDS.all(self._connection, user_id=user_id, achievement_ids=list(achievement_ids))
        return _ACHIEVEMENT.read_all(rows)

    async def named(self, names: Collection[NamedAchievement]) -> dict[NamedAchievement, UUID]:
        """Returns the ids of the achievements that exist; of two with one name the lower id."""
        return await ids_of(self._connection, names)

    async def rarities(self, product_id: UUID) -> list[AchievementRarity]:
        """Returns every achievement of a product with its rarity, ordered by API name."""
        rows = await _RARITIES.all(self._connection, product_id=product_id)
        return _RARITY.read_all(rows)

    async def summary(self, user_id: UUID, page: Page, product_ids: Collection[UUID] = ()) -> Slice[AchievementSummary]:
        """Returns the products with achievements that the user owns or has begun, the one with the newest unlock first;
        only these products if any is given.
        """
        rows = await _SUMMARY.all(
            self._connection,
            user_id=user_id,
            product_ids=list(product_ids) or None,
            limit=page.limit,
            offset=page.offset,
        )
        return Slice([_summary(row) for row in rows if row["product_id"] is not None], rows[0]["total"])

    @staticmethod
    def lookup_of_products(user_id: UUID, product_ids: Collection[UUID]) -> BoundStatement:
        """Returns what ``of_products`` reads."""
        return _OF_PRODUCTS.bind(user_id=user_id, product_ids=list(product_ids))

    async def of_products(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, AchievementSummary]:
        """Returns those of these products that have achievements, whether the user owns them or not."""
        rows = await self.lookup_of_products(user_id, product_ids).all(self._connection)
        return {row["product_id"]: _summary(row) for row in rows}


def _summary(row: Any) -> AchievementSummary:
    return AchievementSummary(row["product_id"], row["unlocked"], row["defined"], row["last_unlocked_at"])


async def count_unlocked(connection: Connection, user_id: UUID) -> int:
    """Returns how many achievements a user has unlocked. One round trip."""
    row = await _COUNT_UNLOCKED.first(connection, user_id=user_id)
    return row["n"] if row else 0
