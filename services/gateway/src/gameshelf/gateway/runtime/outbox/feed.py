"""The user's feed: the messages of the last 24 hours for their devices, by number.

The id of a message is the event's number in the user's stream, so a device resumes after the last id that it received.
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
    """The messages after a cursor. ``messages`` is None if some are missing: the client has to re-read everything."""

    messages: Sequence[FeedMessage] | None
    cursor: int
    """The cursor to continue from."""
    has_more: bool


def parse_cursor(text: str) -> int | None:
    """Parses an id of the feed; returns None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def is_continuous(cursor: int, state: StreamState) -> bool:
    """Returns whether all messages after ``cursor`` are available: not pruned, and not lost with a restore."""
    return state.pruned_sequence <= cursor <= state.last_sequence


async def follow(connection: Connection, user_id: UUID, state: StreamState, cursor: int, limit: int) -> Continuation:
    """Returns the messages after ``cursor``, at most ``limit``. One round trip."""
    if not is_continuous(cursor, state):
        return Continuation(None, state.last_sequence, False)
    pruned, messages = await feed_after(connection, user_id, cursor, limit + 1)
    if pruned > cursor:  # it was pruned after the state was read
        return Continuation(None, state.last_sequence, False)
    if len(messages) > limit:
        return Continuation(messages[:limit], messages[limit - 1].sequence, True)
    return Continuation(messages, max(state.last_sequence, messages[-1].sequence if messages else 0), False)
