"""Reactions to events of other domains, in the same transaction: items show playtime and locked achievements."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.achievements import AchievementLocked
from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import LibraryService, Playtime
from gameshelf.playtime import PlaytimeChanged


async def show_playtime(transaction: Transaction, user_id: UUID, events: Sequence[PlaytimeChanged]) -> None:
    newest = {one.product_id: one for event in events for one in event.products}
    played = [Playtime(one.product_id, one.total_playtime_seconds, one.last_played_at) for one in newest.values()]
    await transaction.of(LibraryService).set_playtime(user_id, played)


async def show_locked(transaction: Transaction, user_id: UUID, events: Sequence[AchievementLocked]) -> None:
    locked: dict[UUID, list[UUID]] = {}
    for event in events:
        locked.setdefault(event.product_id, []).append(event.achievement_id)
    for product_id, achievement_ids in locked.items():
        await transaction.of(LibraryService).report_change(user_id, product_id, locked_achievement_ids=achievement_ids)


REACTIONS: Reactions = {
    PlaytimeChanged: [show_playtime],
    AchievementLocked: [show_locked],
}
