"""The counters behind rarities: folded from small deltas, and counted anew to see that they are right.

Nothing that a player does touches a counter, so no counter is a row that everybody waits for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.achievements.models import (
    AchievementUnlocks,
    OwnedProduct,
    ProductOwners,
    RarityDelta,
    UserAchievement,
)
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import array, rows
from sqlalchemy import (
    BigInteger,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

FOLD_LOCK = 0x6173_6368_6965_7665
"""Whoever folds holds this advisory lock: two that fold side by side would wait for each other at the counters."""
REPAIR_LOCK = FOLD_LOCK + 1
"""Whoever makes up for differences holds this one: two that have found the same one would make up for it twice."""

_D, _P, _U = RarityDelta, OwnedProduct, UserAchievement

_TAKE_TURN = Statement(select(func.pg_try_advisory_xact_lock(literal(FOLD_LOCK, BigInteger))))
_taken = (
    delete(RarityDelta)
    .where(col(_D.id).in_(select(col(_D.id)).order_by(col(_D.id)).limit(bindparam("limit", type_=Integer))))
    .returning(col(_D.product_id), col(_D.achievement_meta_id), col(_D.delta))
    .cte("taken")
)
_insert_owners = insert(ProductOwners).from_select(
    ["product_id", "owners"],
    select(_taken.c.product_id, func.sum(_taken.c.delta))
    .where(_taken.c.achievement_meta_id.is_(None))
    .group_by(_taken.c.product_id),
    include_defaults=False,
)
_owners = _insert_owners.on_conflict_do_update(
    index_elements=["product_id"], set_={"owners": col(ProductOwners.owners) + _insert_owners.excluded.owners}
).cte("folded_owners")
_insert_unlocks = insert(AchievementUnlocks).from_select(
    ["achievement_meta_id", "product_id", "unlocks"],
    select(_taken.c.achievement_meta_id, _taken.c.product_id, func.sum(_taken.c.delta))
    .where(_taken.c.achievement_meta_id.is_not(None))
    .group_by(_taken.c.achievement_meta_id, _taken.c.product_id),
    include_defaults=False,
)
_unlocks = _insert_unlocks.on_conflict_do_update(
    index_elements=["achievement_meta_id"],
    set_={"unlocks": col(AchievementUnlocks.unlocks) + _insert_unlocks.excluded.unlocks},
).cte("folded_unlocks")
_FOLD = Statement(select(func.count()).select_from(_taken).add_cte(_owners, _unlocks))

# The products behind a given one that anybody owns or that have a counter. The owned ones are found by hops through the
# index, from one product to the next: a distinct over all owners would read every row.
_AFTER, _LIMIT = bindparam("after", type_=Uuid), bindparam("limit", type_=Integer)


def _next_owned(after: Any) -> Any:
    owned = aliased(OwnedProduct)
    return select(col(owned.product_id)).where(col(owned.product_id) > after).order_by(col(owned.product_id)).limit(1)


_hops = select(_next_owned(_AFTER).scalar_subquery().label("product_id")).cte("hops", recursive=True)
_hops = _hops.union_all(
    select(_next_owned(_hops.c.product_id).scalar_subquery()).where(_hops.c.product_id.is_not(None))
)
_first_hops = select(_hops.c.product_id).where(_hops.c.product_id.is_not(None)).limit(_LIMIT)


def _counted(table: Any) -> Any:
    product_id = col(table.product_id)
    return select(product_id).where(product_id > _AFTER).order_by(product_id).limit(_LIMIT)


_candidates = union_all(
    select(_first_hops.subquery().c.product_id),
    *(select(_counted(table).subquery().c.product_id) for table in (ProductOwners, AchievementUnlocks, RarityDelta)),
).subquery()
_PRODUCTS = Statement(select(_candidates.c.product_id).distinct().order_by(_candidates.c.product_id).limit(_LIMIT))

_OF_PRODUCTS = any_(array("product_ids", Uuid))
_NONE, _ZERO = cast(null(), Uuid), literal(0, BigInteger)
_rows = union_all(
    select(col(_P.product_id), _NONE.label("achievement_meta_id"), func.count().label("counted"), _ZERO.label("kept"))
    .where(col(_P.product_id) == _OF_PRODUCTS)
    .group_by(col(_P.product_id)),
    select(col(_U.product_id), col(_U.achievement_meta_id), func.count(), _ZERO)
    .join(OwnedProduct, and_(col(_P.user_id) == col(_U.user_id), col(_P.product_id) == col(_U.product_id)))
    .where(col(_U.is_unlocked), col(_U.product_id) == _OF_PRODUCTS)
    .group_by(col(_U.product_id), col(_U.achievement_meta_id)),
    select(col(ProductOwners.product_id), _NONE, _ZERO, col(ProductOwners.owners)).where(
        col(ProductOwners.product_id) == _OF_PRODUCTS
    ),
    select(
        col(AchievementUnlocks.product_id),
        col(AchievementUnlocks.achievement_meta_id),
        _ZERO,
        col(AchievementUnlocks.unlocks),
    ).where(col(AchievementUnlocks.product_id) == _OF_PRODUCTS),
    select(col(_D.product_id), col(_D.achievement_meta_id), _ZERO, cast(col(_D.delta), BigInteger)).where(
        col(_D.product_id) == _OF_PRODUCTS
    ),
).subquery("counts")
_counted_sum, _kept_sum = (cast(func.sum(column), BigInteger) for column in (_rows.c.counted, _rows.c.kept))
_DIFFERENCES = Statement(
    select(_rows.c.product_id, _rows.c.achievement_meta_id, _counted_sum.label("counted"), _kept_sum.label("kept"))
    .group_by(_rows.c.product_id, _rows.c.achievement_meta_id)
    .having(_counted_sum != _kept_sum)
    .order_by(_rows.c.product_id, _rows.c.achievement_meta_id)
)
_off = rows(
    "off", product_id=("product_ids", Uuid), achievement_meta_id=("achievement_ids", Uuid), delta=("deltas", Integer)
)
_WAIT_FOR_TURN = Statement(select(func.pg_advisory_xact_lock(literal(REPAIR_LOCK, BigInteger))))
_REPAIR = Statement(
    insert(RarityDelta).from_select(
        ["product_id", "achievement_meta_id", "delta"], select(*_off.c), include_defaults=False
    )
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that is wrong: what a count of the rows gives, and what the counter and its deltas come to."""

    product_id: UUID
    achievement_id: UUID | None
    """None: the product's owners."""
    counted: int
    kept: int


class RarityCounters:
    """The counters over one connection that is inside a transaction of their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fold(self, limit: int = 10_000) -> int:
        """Folds deltas into the counters, the oldest first; how many. 0 also while somebody else folds."""
        turn: Any = await _TAKE_TURN.first(self._connection)
        if not turn[0]:
            return 0
        folded: Any = await _FOLD.first(self._connection, limit=limit)
        count: int = folded[0]
        return count

    async def products(self, after: UUID, limit: int) -> list[UUID]:
        """Products behind ``after`` that have an owner or a counter, in their order."""
        return [row["product_id"] for row in await _PRODUCTS.all(self._connection, after=after, limit=limit)]

    async def differences(self, product_ids: Sequence[UUID]) -> list[Difference]:
        """Counts these products' owners and unlocks anew, all in one snapshot; where the counters say otherwise."""
        found = await _DIFFERENCES.all(self._connection, product_ids=list(product_ids))
        return [Difference(*row.values()) for row in found]

    async def repair(self, product_ids: Sequence[UUID]) -> list[Difference]:
        """Makes up for differences by deltas, which are right whatever else has been written since; for which ones.

        Waits for others that do the same, and counts once more, so that nothing is made up for twice.
        """
        await _WAIT_FOR_TURN.first(self._connection)
        found = await self.differences(product_ids)
        if found:
            await _REPAIR.run(
                self._connection,
                product_ids=[one.product_id for one in found],
                achievement_ids=[one.achievement_id for one in found],
                deltas=[one.counted - one.kept for one in found],
            )
        return found
