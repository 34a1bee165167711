"""Events: facts about one user's data.

A use case records events. The caller, which composes the packages, commits them with the change itself and publishes
them.
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
"""Receives an event, which becomes a fact when the running transaction commits."""
