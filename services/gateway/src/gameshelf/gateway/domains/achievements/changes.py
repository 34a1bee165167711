"""Changes of achievements by support."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from gameshelf.achievements import AchievementNotFound, AchievementQueries, AchievementService, AchievementState
from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction


@dataclass(frozen=True, slots=True)
class _Achievement:
    user_id: UUID
    achievement_id: UUID

    def target(self) -> State:
        return {"achievement_id": self.achievement_id}

    async def state(self, transaction: Transaction) -> State:
        found = await AchievementQueries(transaction.connection).of_ids(self.user_id, [self.achievement_id])
        if not found:
            raise AchievementNotFound(achievement_id=self.achievement_id)
        return asdict(found[0].state)


@dataclass(frozen=True, slots=True)
class GrantAchievement(_Achievement):
    """Unlocks an achievement, even if the user has no access to the product."""

    command: ClassVar[str] = "achievements grant"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(AchievementService).grant(self.user_id, self.achievement_id)


@dataclass(frozen=True, slots=True)
class RevokeAchievement(_Achievement):
    """Locks an achievement again and resets its progress."""

    command: ClassVar[str] = "achievements revoke"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(AchievementService).revoke(self.user_id, self.achievement_id)


@dataclass(frozen=True, slots=True)
class RestoreAchievement(_Achievement):
    """Restores the state before a grant or a revocation."""

    earlier: AchievementState
    command: ClassVar[str] = "audit undo"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(AchievementService).restore(self.user_id, self.achievement_id, self.earlier)


def undo(entry: Entry, user_id: UUID) -> Change:
    """Makes the change that restores the state before, with the time and the rarity of the unlock."""
    before = dict(entry.before or {})
    unlocked_at = before.pop("unlocked_at")
    earlier = AchievementState(unlocked_at=datetime.fromisoformat(unlocked_at) if unlocked_at else None, **before)
    return RestoreAchievement(user_id, UUID(entry.target["achievement_id"]), earlier)
