"""The user's feed: the last 24 hours of messages for their devices, by number.

An id is the number of the event in the user's own stream, so a device resumes by the last id that it saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from gameshelf.gateway.runtime.outbox.store import FeedMessage, feed_after
from gameshelf.gateway.runtime.streams import StreamState
from gameshelf.kernel.database import Connection

KEPT = timedelta(hours=24)
RESYNC = "resync.required"
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Continuation:
    """What follows a cursor. ``messages`` is None where continuity can't be shown: the client has to read all anew."""

    messages: Sequence[FeedMessage] | None
    cursor: int
    """Where to go on from."""
    has_more: bool


def parse_cursor(text: str) -> int | None:
    """The number in an id of the feed; None when it is no such id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def is_continuous(cursor: int, state: StreamState) -> bool:
    """Whether everything after ``cursor`` is still known: not pruned yet, and not of a stream that was lost."""
    return state.pruned_sequence <= cursor <= state.last_sequence


async def follow(connection: Connection, user_id: UUID, state: StreamState, cursor: int, limit: int) -> Continuation:
    """The messages after ``cursor``, at most ``limit``. One round trip."""
    if not is_continuous(cursor, state):
        return Continuation(None, state.last_sequence, False)
    pruned, messages = await feed_after(connection, user_id, cursor, limit + 1)
    if pruned > cursor:  # since the state was read
        return Continuation(None, state.last_sequence, False)
    if len(messages) > limit:
        return Continuation(messages[:limit], messages[limit - 1].sequence, True)
    return Continuation(messages, max(state.last_sequence, messages[-1].sequence if messages else 0), False)
