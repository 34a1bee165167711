"""Reactions to events of other domains, in the same transaction: shares follow ownership, and seats follow sessions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import FamilyLinks, FamilySeats, GameRemoved
from gameshelf.playtime import SessionCopyChanged, SessionEnded


async def withdraw_shares(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(FamilyLinks).withdraw_products(user_id, {event.product_id for event in events})


async def free_seat(transaction: Transaction, user_id: UUID, events: Sequence[SessionEnded]) -> None:
    # A session names no owner once the owner's account is erased, and the seat is deleted with it.
    seated = ((event.copy_owner_user_id, event.session_id) for event in events if event.seat_number is not None)
    await _release(transaction, user_id, seated)


async def leave_seat(transaction: Transaction, user_id: UUID, events: Sequence[SessionCopyChanged]) -> None:
    await _release(transaction, user_id, ((event.left_owner_user_id, event.session_id) for event in events))


async def _release(transaction: Transaction, user_id: UUID, left: Iterable[tuple[UUID | None, UUID]]) -> None:
    """Frees the seats of sessions, one owner at a time: what an owner has may be on another shard."""
    sessions: dict[UUID, list[UUID]] = defaultdict(list)
    for owner_id, session_id in left:
        if owner_id is not None:
            sessions[owner_id].append(session_id)
    with transaction.elsewhere():
        for owner_id, session_ids in sessions.items():
            await transaction.of(FamilySeats).release(owner_id, user_id, session_ids)


REACTIONS: Reactions = {
    GameRemoved: [withdraw_shares],
    SessionCopyChanged: [leave_seat],
    SessionEnded: [free_seat],
}
