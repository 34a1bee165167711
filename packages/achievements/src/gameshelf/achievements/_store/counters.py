"""The counters behind rarities. They are folded from small deltas, and recounted from the rows to find errors.

No action of a player writes to a counter, so no transaction waits for the row of one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.achievements._models import (
    AchievementUnlocks,
    OwnedProduct,
    ProductOwners,
    RarityDelta,
    UserAchievement,
)
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import (
    BigInteger,
    Integer,
    Uuid,
    bindparam,
    cast,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

FOLD_LOCK = 0x6173_6368_6965_7665
"""The advisory lock of a transaction that folds. Two at the same time would wait for each other's counters."""
_NOBODY = UUID(int=0)

_D, _P, _U = RarityDelta, OwnedProduct, UserAchievement

_TAKE_TURN = Statement(select(func.pg_try_advisory_xact_lock(literal(FOLD_LOCK, BigInteger)).label("taken")))


def _folding(*which: Any) -> Statement:
    """Deletes the oldest of some deltas and adds them to the counters. Selects how many it has deleted."""
    oldest = select(col(_D.id)).where(*which).order_by(col(_D.id)).limit(bindparam("limit", type_=Integer))
    taken = (
        delete(RarityDelta)
        .where(col(_D.id).in_(oldest))
        .returning(col(_D.product_id), col(_D.achievement_meta_id), col(_D.delta))
        .cte("taken")
    )
    insert_owners = insert(ProductOwners).from_select(
        ["product_id", "owners"],
        select(taken.c.product_id, func.sum(taken.c.delta))
        .where(taken.c.achievement_meta_id.is_(None))
        .group_by(taken.c.product_id),
        include_defaults=False,
    )
    owners = insert_owners.on_conflict_do_update(
        index_elements=["product_id"], set_={"owners": col(ProductOwners.owners) + insert_owners.excluded.owners}
    ).cte("folded_owners")
    insert_unlocks = insert(AchievementUnlocks).from_select(
        ["achievement_meta_id", "product_id", "unlocks"],
        select(taken.c.achievement_meta_id, taken.c.product_id, func.sum(taken.c.delta))
        .where(taken.c.achievement_meta_id.is_not(None))
        .group_by(taken.c.achievement_meta_id, taken.c.product_id),
        include_defaults=False,
    )
    unlocks = insert_unlocks.on_conflict_do_update(
        index_elements=["achievement_meta_id"],
        set_={"unlocks": col(AchievementUnlocks.unlocks) + insert_unlocks.excluded.unlocks},
    ).cte("folded_unlocks")
    return Statement(select(func.count().label("folded")).select_from(taken).add_cte(owners, unlocks))


_FOLD = _folding()
_FOLD_PRODUCT = _folding(col(_D.product_id) == bindparam("product_id", type_=Uuid))

_AFTER, _LIMIT = bindparam("after", type_=Uuid), bindparam("limit", type_=Integer)


def _next_of(table: Any) -> Any:
    """Selects the next product of a table after a given one, by a step in its index."""
    product_id = col(table.product_id)
    found = select(product_id).where(product_id > _AFTER).order_by(product_id).limit(literal_column("1"))
    return select(found.subquery().c.product_id)


# By one step in each index: a DISTINCT over all owners would read every row, and a walk by a recursive CTE is one that
# Citus refuses.
_candidates = union_all(
    *(_next_of(table) for table in (OwnedProduct, ProductOwners, AchievementUnlocks, RarityDelta))
).subquery()
_NEXT = Statement(select(_candidates.c.product_id).order_by(_candidates.c.product_id).limit(literal_column("1")))

_PRODUCT = bindparam("product_id", type_=Uuid)
# A part of a product's owners, and their unlocks. All owners at once could exceed the time limit of a statement.
_part = (
    select(col(_P.user_id))
    .where(col(_P.product_id) == _PRODUCT, col(_P.user_id) > bindparam("after_user", type_=Uuid))
    .order_by(col(_P.user_id))
    .limit(_LIMIT)
    .cte("part")
    .prefix_with("MATERIALIZED")
)
_NONE = cast(null(), Uuid)
_COUNT_PART = Statement(
    union_all(
        select(
            _NONE.label("achievement_meta_id"),
            func.count().label("counted"),
            select(_part.c.user_id).order_by(_part.c.user_id.desc()).limit(1).scalar_subquery().label("through"),
        ).select_from(_part),
        select(col(_U.achievement_meta_id), func.count(), _NONE)
        .join(_part, _part.c.user_id == col(_U.user_id))
        .where(col(_U.product_id) == _PRODUCT, col(_U.is_unlocked))
        .group_by(col(_U.achievement_meta_id)),
    )
)
_kept_rows = union_all(
    select(_NONE.label("achievement_meta_id"), col(ProductOwners.owners).label("kept")).where(
        col(ProductOwners.product_id) == _PRODUCT
    ),
    select(col(AchievementUnlocks.achievement_meta_id), col(AchievementUnlocks.unlocks)).where(
        col(AchievementUnlocks.product_id) == _PRODUCT
    ),
    select(col(_D.achievement_meta_id), cast(col(_D.delta), BigInteger)).where(col(_D.product_id) == _PRODUCT),
).subquery("kept")
_KEPT = Statement(
    select(_kept_rows.c.achievement_meta_id, cast(func.sum(_kept_rows.c.kept), BigInteger).label("kept")).group_by(
        _kept_rows.c.achievement_meta_id
    )
)


# The products that have deltas, found by hops through the index.
def _next_waiting(after: Any) -> Any:
    one = aliased(RarityDelta)
    return select(col(one.product_id)).where(col(one.product_id) > after).order_by(col(one.product_id)).limit(1)


_delta_hops = select(_next_waiting(_AFTER).scalar_subquery().label("product_id")).cte("delta_hops", recursive=True)
_delta_hops = _delta_hops.union_all(
    select(_next_waiting(_delta_hops.c.product_id).scalar_subquery()).where(_delta_hops.c.product_id.is_not(None))
)
_WAITING = Statement(select(_delta_hops.c.product_id).where(_delta_hops.c.product_id.is_not(None)).limit(_LIMIT))


@dataclass(frozen=True, slots=True)
class CounterDifference:
    """A wrong counter: the count of the rows, and the sum of the counter and its deltas."""

    product_id: UUID
    achievement_id: UUID | None
    """None for the counter of the product's owners."""
    counted: int
    """The count of the rows."""
    kept: int
    """The sum of the counter and its deltas."""


class RarityCounters:
    """The counters over one connection, inside a transaction that does nothing else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fold(self, limit: int = 10_000) -> int:
        """Folds deltas, the oldest first. Returns how many; 0 also while another transaction folds."""
        return await self._fold(_FOLD, limit=limit)

    async def fold_product(self, product_id: UUID, limit: int) -> int:
        """Folds deltas of one product. Returns how many; 0 also while another transaction folds."""
        return await self._fold(_FOLD_PRODUCT, product_id=product_id, limit=limit)

    async def _fold(self, statement: Statement, **values: Any) -> int:
        turn = await _TAKE_TURN.first(self._connection)
        row = await statement.first(self._connection, **values) if turn and turn["taken"] else None
        return row["folded"] if row else 0

    async def waiting(self, after: UUID, limit: int) -> list[UUID]:
        """Returns the products after ``after`` that have deltas, ordered by id."""
        return [row["product_id"] for row in await _WAITING.all(self._connection, after=after, limit=limit)]

    async def next_product(self, after: UUID) -> UUID | None:
        """Returns the product after ``after``, by id, that has an owner or a counter; None where there is none."""
        row = await _NEXT.first(self._connection, after=after)
        return row["product_id"] if row else None

    async def differences(self, product_ids: Sequence[UUID], part: int = 20_000) -> list[CounterDifference]:
        """Recounts the owners and unlocks of these products, and returns the counters that differ.

        Each of its statements reads at most ``part`` owners. Where other transactions write at the same time, this one
        has to read one snapshot (REPEATABLE READ).
        """
        return [one for product_id in product_ids for one in await self._differences(product_id, part)]

    async def _differences(self, product_id: UUID, part: int) -> list[CounterDifference]:
        counted: Counter[UUID | None] = Counter()
        after: UUID | None = _NOBODY
        while after is not None:
            rows = await _COUNT_PART.all(self._connection, product_id=product_id, after_user=after, limit=part)
            counted.update({row["achievement_meta_id"]: row["counted"] for row in rows})
            [(owners, through)] = [
                (row["counted"], row["through"]) for row in rows if row["achievement_meta_id"] is None
            ]
            after = through if owners == part else None
        kept = {
            row["achievement_meta_id"]: row["kept"] for row in await _KEPT.all(self._connection, product_id=product_id)
        }
        return [
            CounterDifference(product_id, one, counted[one], kept.get(one, 0))
            for one in sorted(counted.keys() | kept.keys(), key=str)
            if counted[one] != kept.get(one, 0)
        ]
