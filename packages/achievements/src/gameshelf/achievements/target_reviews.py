"""Reviews of targets: whoever has reached a target that the Catalog has changed is unlocked, in bounded chunks.

A definition is to be reviewed while its target is not the one that it was last reviewed for. So a change that an
instance of another release wrote is found too, and a review that was cut off begins anew: whoever it has unlocked is
not among those who are locked any more.

A report reads the target and commits later, so a review may read a player's progress too early. A report serialises its
user before it reads, and has a transaction id by then (``kernel.serialise`` gives one; so does the lock of a row). So
one that did not see a change has an id below the ``next_transaction`` of whoever has seen it. Once ``oldest_running``
has reached that, all of those reports are committed, or never will be, and a walk that begins now is the last one that
is needed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.achievements.events import AchievementUnlocked
from gameshelf.achievements.models import AchievementMetadata, OwnedProduct, RarityDelta, UserAchievement
from gameshelf.achievements.rules import rarity_with
from gameshelf.achievements.store import AchievementStore
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection, Statement
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
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

NOBODY_YET = UUID(int=0)

_M, _U = AchievementMetadata, UserAchievement
_ID = bindparam("achievement_id", type_=Uuid)
_TARGET = bindparam("target", type_=Integer)
_LIMIT = bindparam("limit", type_=Integer)
_is_locked = and_(col(_U.achievement_meta_id) == _ID, ~col(_U.is_unlocked))

_somebody_locked = (
    select(literal(1)).where(col(_U.achievement_meta_id) == col(_M.id), ~col(_U.is_unlocked)).exists().label("locked")
)
_snapshot = func.pg_current_snapshot()
_PENDING = Statement(
    select(
        col(_M.id),
        col(_M.product_id),
        col(_M.target_progress),
        _somebody_locked,
        col(_M.target_revision),
        cast(cast(func.pg_snapshot_xmax(_snapshot), Text), BigInteger).label("next_transaction"),
        cast(cast(func.pg_snapshot_xmin(_snapshot), Text), BigInteger).label("oldest_running"),
    )
    .where(col(_M.target_progress).is_not(None), col(_M.target_progress).is_distinct_from(col(_M.reviewed_target)))
    .order_by(col(_M.id))
    .limit(_LIMIT)
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
    """A definition whose target has changed since it was reviewed."""

    achievement_id: UUID
    product_id: UUID
    target: int
    is_anybody_locked: bool
    """Whether anybody has begun it without unlocking it: else there is nothing to be done."""
    revision: int
    """Which change of the target it is about."""
    next_transaction: int
    """Transactions that have read the target of before have lower ids."""
    oldest_running: int
    """Transactions with lower ids are over."""


@dataclass(frozen=True, slots=True)
class PlayersInProgress:
    """The next players who have begun an achievement without unlocking it, in the order of users."""

    reached: list[UUID]
    """Those of them who have reached the target."""
    last: UUID | None
    """The last one that was looked at; None: there are no more."""


class TargetReviews:
    """Reviews over one connection that is inside a short transaction. Each method is one statement, ``unlock`` two."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def pending(self, limit: int) -> list[TargetReview]:
        """What is to be reviewed."""
        return [TargetReview(*row.values()) for row in await _PENDING.all(self._connection, limit=limit)]

    async def players(self, review: TargetReview, after: UUID, limit: int) -> PlayersInProgress:
        """Looks at the next ``limit`` players after a user, whether or not they have reached the target."""
        found = await _PLAYERS.all(
            self._connection, achievement_id=review.achievement_id, target=review.target, after=after, limit=limit
        )
        reached = [row["user_id"] for row in found if row["has_reached"]]
        return PlayersInProgress(reached, found[-1]["user_id"] if found else None)

    async def unlock(self, review: TargetReview, user_ids: Collection[UUID]) -> list[AchievementUnlocked]:
        """Unlocks the achievement for those of the users who have reached the target; the events to be recorded.

        Whether they may play the product now does not matter: they reached the target while they could. The caller has
        serialised the users, in the order of their ids or without waiting for any (``lock_idle_users``).
        """
        states = await AchievementStore(self._connection).states(NOBODY_YET, [review.achievement_id])
        definition = states.get(review.achievement_id)
        if definition is None or definition.target != review.target:
            return []
        now = self._clock()
        found = await _UNLOCK.all(
            self._connection,
            achievement_id=definition.id,
            product_id=definition.product_id,
            target=review.target,
            user_ids=list(user_ids),
            now=now,
            rarity_of_owner=rarity_with(definition.unlocks, definition.owners, counts=True),
            rarity_of_borrower=rarity_with(definition.unlocks, definition.owners, counts=False),
        )
        return [
            AchievementUnlocked(
                user_id=row["user_id"],
                occurred_at=now,
                achievement_id=definition.id,
                product_id=definition.product_id,
                api_name=definition.api_name,
                name_ru=definition.name_ru,
                name_en=definition.name_en,
                unlocked_at=now,
            )
            for row in found
        ]

    async def finish(self, reviews: Sequence[TargetReview]) -> None:
        """These are reviewed, unless the target has changed again meanwhile."""
        await _FINISH.run(
            self._connection,
            achievement_ids=[one.achievement_id for one in reviews],
            targets=[one.target for one in reviews],
            revisions=[one.revision for one in reviews],
        )
