"""Reviews of targets. A review unlocks an achievement for players who have reached a changed target, in bounded chunks.

A definition has to be reviewed while its target differs from the one of its last review. So a change that an instance
of another release wrote is found too. A review that was interrupted begins again: the players whom it has unlocked are
no longer among the locked ones.

A report reads the target and commits later, so a review may read a player's progress too early. A report serialises its
user before it reads, and has a transaction id by then (``kernel.serialise`` assigns one; so does the lock of a row). So
a report that did not see a change has an id below the ``next_transaction`` of any review that has seen it. Once
``oldest_running`` has reached that id, all of those reports have committed or failed, and the walk over the players
that begins then is the last one that is needed.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from gameshelf.achievements._events import AchievementUnlocked
from gameshelf.achievements._rules import rarity_with
from gameshelf.achievements._store import (
    AchievementStore,
    PlayersInProgress,
    TargetReview,
    TargetReviewStore,
    UnlockOfReview,
)
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection

_NOBODY = UUID(int=0)


class TargetReviews:
    """Reviews over one connection, inside a short transaction. Each method is one statement, ``unlock`` two, and
    ``begun`` at most one for each review.
    """

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._achievements = AchievementStore(connection)
        self._store = TargetReviewStore(connection)
        self._clock = clock

    async def pending(self, limit: int) -> list[TargetReview]:
        """Returns the reviews that have to be done."""
        return await self._store.pending(limit)

    async def begun(self, reviews: Sequence[TargetReview]) -> set[UUID]:
        """Returns the achievements of those of the reviews that have something to do: somebody has begun them without
        unlocking them. Who is found later than ``pending`` has read is found as well.
        """
        return await self._store.begun([one.achievement_id for one in reviews])

    async def players(self, review: TargetReview, after: UUID, limit: int) -> PlayersInProgress:
        """Reads the next ``limit`` players after a user, whether or not they have reached the target."""
        return await self._store.players(review, after, limit)

    async def unlock(self, review: TargetReview, user_ids: Collection[UUID]) -> list[AchievementUnlocked]:
        """Unlocks the achievement for those of the users who have reached the target. Returns the events to record.

        Whether they may play the product now does not matter: they reached the target while they could. The caller has
        serialised the users, in the order of their ids or without waiting for any (``lock_idle_users``).
        """
        states = await self._achievements.states(_NOBODY, [review.achievement_id])
        definition = states.get(review.achievement_id)
        if definition is None or definition.target != review.target:
            return []
        now = self._clock()
        unlock = UnlockOfReview(
            definition.id,
            definition.product_id,
            review.target,
            now,
            rarity_of_owner=rarity_with(definition.unlocks, definition.owners, counts=True),
            rarity_of_borrower=rarity_with(definition.unlocks, definition.owners, counts=False),
        )
        return [
            AchievementUnlocked(
                user_id=user_id,
                occurred_at=now,
                achievement_id=definition.id,
                product_id=definition.product_id,
                api_name=definition.api_name,
                name_ru=definition.name_ru,
                name_en=definition.name_en,
                unlocked_at=now,
            )
            for user_id in await self._store.unlock(unlock, user_ids)
        ]

    async def finish(self, reviews: Sequence[TargetReview]) -> None:
        """Marks the definitions as reviewed, unless their target has changed again."""
        await self._store.finish(reviews)
