"""Reactions to events of other domains, in the same transaction: a new game is removed from the wishlist."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import GameAdded
from gameshelf.wishlist import WishlistService


async def drop_wish(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(WishlistService).remove_bought(user_id, {event.product_id for event in events})


REACTIONS: Reactions = {
    GameAdded: [drop_wish],
}
