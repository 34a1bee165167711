"""Reactions to events of other domains, in the same transaction: shares follow ownership, and seats follow sessions."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import FamilyLinks, FamilySeats, GameRemoved
from gameshelf.playtime import SessionCopyChanged, SessionEnded


async def withdraw_shares(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(FamilyLinks).withdraw_products(user_id, {event.product_id for event in events})


async def free_seat(transaction: Transaction, user_id: UUID, events: Sequence[SessionEnded]) -> None:
    seated = [event.session_id for event in events if event.seat_number is not None]
    if seated:
        await transaction.of(FamilySeats).release(user_id, seated)


async def leave_seat(transaction: Transaction, user_id: UUID, events: Sequence[SessionCopyChanged]) -> None:
    left = [event.session_id for event in events if event.left_owner_user_id is not None]
    if left:
        await transaction.of(FamilySeats).release(user_id, left)


REACTIONS: Reactions = {
    GameRemoved: [withdraw_shares],
    SessionCopyChanged: [leave_seat],
    SessionEnded: [free_seat],
}
