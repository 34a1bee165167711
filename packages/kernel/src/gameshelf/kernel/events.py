"""Facts: what happened to one user's data.

A use case records facts; whoever composes the domains commits them with the change itself and tells the world.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact about one user. Subclasses are frozen too, and grow only by fields with defaults."""

    user_id: UUID
    occurred_at: datetime


RecordEvent = Callable[[Event], None]
"""Takes a fact that becomes true with the running transaction."""
