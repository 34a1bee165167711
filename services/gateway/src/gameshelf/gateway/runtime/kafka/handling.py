"""Types of the handlers of consumed events, and the attributes that they get besides an event's data."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.clock import Clock
from gameshelf.kernel.database import Connection


@dataclass(frozen=True, slots=True)
class Received:
    """The attributes of an event that handlers use besides its data."""

    at: datetime
    """The event's own time, else that of its record, else that of its receipt."""
    source: str
    event_id: str
    """The id of the event; for a part that repeats an event, the id of that event."""

    def fact_id(self, business_id: str | None) -> str:
        """Returns the id of a fact: the one in its data, else the event's source and id, in at most 210 characters."""
        if business_id is not None:
            return f"id:{business_id}"
        name = f"{self.source}\n{self.event_id}"
        return f"event:{sha256(name.encode()).hexdigest()}"


Handle = Callable[[Transaction, Any, Received], Awaitable[None]]
"""Applies an event's data in the transaction of its user."""
ApplyAll = Callable[[Connection, Sequence[tuple[Any, datetime]], Clock], Awaitable[None]]
"""Applies the data of many events about products, each with the event's time, in a transaction of their own."""
