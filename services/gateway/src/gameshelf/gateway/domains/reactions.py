"""What other domains do when something happens, in the same transaction: one user's rows live together.

Event type → reactions. A reaction gets the running transaction, the user, and all events of that type that a use case
recorded about them, so that many cost no more than one; what it records itself is reacted to in turn.
"""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.achievements import AchievementLocked, AchievementService
from gameshelf.gateway.runtime.transaction import Reactions, Transaction
from gameshelf.library import (
    FamilyLinks,
    FamilySeats,
    GameAdded,
    GameRemoved,
    LibraryService,
    Playtime,
    ShareWithdrawn,
)
from gameshelf.playtime import PlaytimeChanged, PlaytimeService, SessionCopyChanged, SessionEnded
from gameshelf.wishlist import WishlistService


async def show_playtime(transaction: Transaction, user_id: UUID, events: Sequence[PlaytimeChanged]) -> None:
    newest = {one.product_id: one for event in events for one in event.products}
    played = [Playtime(one.product_id, one.total_playtime_seconds, one.last_played_at) for one in newest.values()]
    await transaction.of(LibraryService).set_playtime(user_id, played)


async def play_own(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(PlaytimeService).go_on_with_own(user_id, {event.product_id for event in events})


async def play_shared_or_end(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(PlaytimeService).lose_own(user_id, {event.product_id for event in events})


async def end_shared_play(transaction: Transaction, user_id: UUID, events: Sequence[ShareWithdrawn]) -> None:
    for event in events:
        await transaction.of(PlaytimeService).end_access(
            user_id, event.product_ids, event.owner_user_id, event.session_id
        )


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


async def count_owner(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(AchievementService).own(user_id, {event.product_id for event in events})


async def discount_owner(transaction: Transaction, user_id: UUID, events: Sequence[GameRemoved]) -> None:
    await transaction.of(AchievementService).disown(user_id, {event.product_id for event in events})


async def show_locked(transaction: Transaction, user_id: UUID, events: Sequence[AchievementLocked]) -> None:
    locked: dict[UUID, list[UUID]] = {}
    for event in events:
        locked.setdefault(event.product_id, []).append(event.achievement_id)
    for product_id, achievement_ids in locked.items():
        await transaction.of(LibraryService).tell(user_id, product_id, locked_achievement_ids=achievement_ids)


async def drop_wish(transaction: Transaction, user_id: UUID, events: Sequence[GameAdded]) -> None:
    await transaction.of(WishlistService).bought(user_id, {event.product_id for event in events})


REACTIONS: Reactions = {
    PlaytimeChanged: [show_playtime],
    GameAdded: [count_owner, drop_wish, play_own],
    GameRemoved: [play_shared_or_end, discount_owner, withdraw_shares],
    ShareWithdrawn: [end_shared_play],
    SessionCopyChanged: [leave_seat],
    SessionEnded: [free_seat],
    AchievementLocked: [show_locked],
}
