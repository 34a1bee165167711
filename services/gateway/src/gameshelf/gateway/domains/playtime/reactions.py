"""Reactions to events of other domains, in the same transaction: sessions change their copy or end with access."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import GameAdded, GameRemoved, ShareWithdrawn
from gameshelf.playtime import PlaytimeService


async def play_own(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(PlaytimeService).continue_on_own_copies(user_id, {event.product_id for event in events})


async def play_shared_or_end(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(PlaytimeService).continue_on_shared_copies(user_id, {event.product_id for event in events})


async def end_shared_play(transaction: Transaction, user_id: UUID, events: Sequence[ShareWithdrawn]) -> None:
    for event in events:
        await transaction.of(PlaytimeService).end_access(
            user_id, event.product_ids, event.owner_user_id, event.session_id
        )


REACTIONS: Reactions = {
    GameAdded: [play_own],
    GameRemoved: [play_shared_or_end],
    ShareWithdrawn: [end_shared_play],
}
