"""What other domains do when something happens, in the same transaction: one user's rows live together.

Event type → reactions. A reaction gets the running transaction and the event; what it records is reacted to in turn.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gameshelf.kernel.events import Event
from gameshelf.library import GameRemoved, LibraryService, Playtime
from gameshelf.playtime import PlaytimeChanged, PlaytimeService

if TYPE_CHECKING:
    from gameshelf.gateway.transaction import Transaction

Reaction = Callable[["Transaction", Any], Awaitable[None]]


async def show_playtime(transaction: "Transaction", event: PlaytimeChanged) -> None:
    played = [Playtime(one.product_id, one.total_playtime_seconds, one.last_played_at) for one in event.products]
    await transaction.of(LibraryService).set_playtime(event.user_id, played)


async def end_play(transaction: "Transaction", event: GameRemoved) -> None:
    await transaction.of(PlaytimeService).end_access(event.user_id, event.product_id)


REACTIONS: Mapping[type[Event], Sequence[Reaction]] = {
    PlaytimeChanged: [show_playtime],
    GameRemoved: [end_play],
}
