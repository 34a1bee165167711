"""The statements of target reviews. The order of their steps is described in ``achievements.target_reviews``."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.achievements._models import AchievementMetadata, OwnedProduct, RarityDelta, UserAchievement
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows
from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_M, _U = AchievementMetadata, UserAchievement
_ID = bindparam("achievement_id", type_=Uuid)
_TARGET = bindparam("target", type_=Integer)
_LIMIT = bindparam("limit", type_=Integer)
_is_locked = and_(col(_U.achievement_meta_id) == _ID, ~col(_U.is_unlocked))

_snapshot = func.pg_current_snapshot()
_PENDING = Statement(
    select(
        col(_M.id).label("achievement_id"),
        col(_M.product_id),
        col(_M.target_progress).label("target"),
        col(_M.target_revision).label("revision"),
        cast(cast(func.pg_snapshot_xmax(_snapshot), Text), BigInteger).label("next_transaction"),
        cast(cast(func.pg_snapshot_xmin(_snapshot), Text), BigInteger).label("oldest_running"),
    )
    .where(col(_M.target_progress).is_not(None), col(_M.target_progress).is_distinct_from(col(_M.reviewed_target)))
    .order_by(col(_M.id))
    .limit(_LIMIT)
)
# One step in the index. A search for a list of ids would read all players where none of them has one of these.
_BEGUN = Statement(
    select(col(_U.achievement_meta_id))
    .where(
        ~col(_U.is_unlocked),
        col(_U.achievement_meta_id) >= bindparam("first_id", type_=Uuid),
        col(_U.achievement_meta_id) <= bindparam("last_id", type_=Uuid),
    )
    .order_by(col(_U.achievement_meta_id))
    .limit(literal_column("1"))
)
_PLAYERS = Statement(
    select(col(_U.user_id), (func.coalesce(_U.current_progress, 0) >= _TARGET).label("has_reached"))
    .where(_is_locked, col(_U.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(_U.user_id))
    .limit(_LIMIT)
)
_reached = (
    select(
        col(_U.user_id),
        select(literal(1))
        .where(col(OwnedProduct.user_id) == col(_U.user_id), col(OwnedProduct.product_id) == col(_U.product_id))
        .exists()
        .label("is_owner"),
    )
    .where(_is_locked, col(_U.user_id) == any_(array("user_ids", Uuid)), col(_U.current_progress) >= _TARGET)
    .cte("reached")
)
_unlocked = (
    update(UserAchievement)
    .where(col(_U.achievement_meta_id) == _ID, col(_U.user_id) == _reached.c.user_id)
    .values(
        is_unlocked=true(),
        unlocked_at=bindparam("now", type_=TIME),
        current_progress=_TARGET,
        rarity_at_unlock=case(
            (_reached.c.is_owner, bindparam("rarity_of_owner", type_=Double)),
            else_=bindparam("rarity_of_borrower", type_=Double),
        ),
        updated_at=func.now(),
    )
    .returning(col(_U.user_id), _reached.c.is_owner)
    .cte("unlocked")
)
_counted = (
    insert(RarityDelta)
    .from_select(
        ["product_id", "achievement_meta_id", "delta"],
        select(bindparam("product_id", type_=Uuid), _ID, func.count())
        .select_from(_unlocked)
        .where(_unlocked.c.is_owner)
        .having(func.count() > 0),
        include_defaults=False,
    )
    .cte("counted")
)
_UNLOCK = Statement(select(_unlocked.c.user_id).add_cte(_counted))
_done = rows("done", id=("achievement_ids", Uuid), target=("targets", Integer), revision=("revisions", BigInteger))
_FINISH = Statement(
    update(AchievementMetadata)
    .where(
        col(_M.id) == _done.c.id,
        col(_M.target_progress) == _done.c.target,
        col(_M.target_revision) == _done.c.revision,
    )
    .values(reviewed_target=_done.c.target)
)


@dataclass(frozen=True, slots=True)
class TargetReview:
    """A definition whose target has changed since its last review."""

    achievement_id: UUID
    product_id: UUID
    target: int
    revision: int
    """The number of the target's change that this review is for."""
    next_transaction: int
    """Transactions that have read the target of before have lower ids."""
    oldest_running: int
    """Transactions with lower ids have ended."""


_REVIEW = RowReader(TargetReview, _PENDING)


@dataclass(frozen=True, slots=True)
class PlayersInProgress:
    """The next players who have begun an achievement without unlocking it, ordered by id."""

    reached: list[UUID]
    """Those of them who have reached the target."""
    last: UUID | None
    """The last player that was read; None where there are no more."""


@dataclass(frozen=True, slots=True)
class UnlockOfReview:
    """An unlock that a review writes for several players at once."""

    achievement_id: UUID
    product_id: UUID
    target: int
    at: datetime
    rarity_of_owner: float | None
    rarity_of_borrower: float | None


class TargetReviewStore:
    """Reviews over one connection. Each method is one statement, but for ``begun``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pending(self, limit: int) -> list[TargetReview]:
        """Returns the reviews that have to be done."""
        return _REVIEW.read_all(await _PENDING.all(self._connection, limit=limit))

    async def begun(self, achievement_ids: Collection[UUID]) -> set[UUID]:
        """Returns those of the achievements that somebody has begun without unlocking them.

        Goes from one achievement that somebody has begun to the next, so it is at most one statement for each id.
        """
        ids, begun, place = sorted(achievement_ids), set[UUID](), 0
        while place < len(ids):
            row = await _BEGUN.first(self._connection, first_id=ids[place], last_id=ids[-1])
            if row is None:
                break
            found: UUID = row["achievement_meta_id"]
            place = bisect_left(ids, found)
            if ids[place] == found:
                begun.add(found)
                place += 1
        return begun

    async def players(self, review: TargetReview, after: UUID, limit: int) -> PlayersInProgress:
        """Reads the next ``limit`` players after a user, whether or not they have reached the target."""
        found = await _PLAYERS.all(
            self._connection, achievement_id=review.achievement_id, target=review.target, after=after, limit=limit
        )
        reached = [row["user_id"] for row in found if row["has_reached"]]
        return PlayersInProgress(reached, found[-1]["user_id"] if found else None)

    async def unlock(self, unlock: UnlockOfReview, user_ids: Collection[UUID]) -> list[UUID]:
        """Unlocks the achievement for those of the users who have reached the target, and returns these."""
        found = await _UNLOCK.all(
            self._connection,
            achievement_id=unlock.achievement_id,
            product_id=unlock.product_id,
            target=unlock.target,
            user_ids=list(user_ids),
            now=unlock.at,
            rarity_of_owner=unlock.rarity_of_owner,
            rarity_of_borrower=unlock.rarity_of_borrower,
        )
        return [row["user_id"] for row in found]

    async def finish(self, reviews: Sequence[TargetReview]) -> None:
        """Marks the definitions as reviewed, unless their target has changed again."""
        await _FINISH.run(
            self._connection,
            achievement_ids=[one.achievement_id for one in reviews],
            targets=[one.target for one in reviews],
            revisions=[one.revision for one in reviews],
        )
