"""What changes of sessions read and lock first."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.library import FamilySeats, LibraryService
from gameshelf.playtime import PlaytimeService, StartSession


def start_of_session(user_id: UUID, body: StartSession) -> Opening:
    """Opens the start of a session. The copy is locked: the seat of its other player ends in the same commit."""
    product_id = body.product_id
    return Opening(
        [
            *PlaytimeService.lookups_of_start(user_id, body),
            *FamilySeats.lookups_of_take(user_id, product_id),
            LibraryService.lookup_items(user_id, [product_id]),
        ],
        locks=[FamilySeats.lock_of_own_copy(user_id, product_id)],
    )


def end_of_session(user_id: UUID, session_id: UUID, **_: Any) -> Opening:
    """Opens the end of a session. Whatever else ends or moves it raises the user's version."""
    return Opening([PlaytimeService.lookup_session(user_id, session_id)])
