"""Reactions to events of other domains, in the same transaction: owners are counted for rarity."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.achievements import AchievementService
from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import GameAdded, GameRemoved


async def count_owner(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(AchievementService).own(user_id, {event.product_id for event in events})


async def discount_owner(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(AchievementService).disown(user_id, {event.product_id for event in events})


REACTIONS: Reactions = {
    GameAdded: [count_owner],
    GameRemoved: [discount_owner],
}
