"""What a handler of consumed events is: it gets the transaction of the user, the data and what is known of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from gameshelf.gateway.runtime.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Said:
    """What an event says of itself."""

    at: datetime
    """The event's own time, or that of its receipt."""
    source: str
    event_id: str
    """Of a part that says an event again it is that event's."""

    def fact_id(self, said_id: str | None) -> str:
        """What a fact is known by: the id that its data says, else the event's, in at most 210 characters."""
        if said_id is not None:
            return f"id:{said_id}"
        name = f"{self.source}\n{self.event_id}"
        return f"event:{sha256(name.encode()).hexdigest()}"


Handle = Callable[[Transaction, Any, Said], Awaitable[None]]
"""Applies an event's data in the transaction of its user."""
