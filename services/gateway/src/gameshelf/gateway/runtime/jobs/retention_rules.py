"""What a domain keeps for a limited time only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameshelf.kernel.database import Connection


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """For how long a domain keeps some of its rows."""

    name: str
    kept: timedelta
    prune: Callable[[Connection, datetime, int], Awaitable[int]]
    """Deletes at most so many rows from before a time; how many it deleted, 0 when none is left."""
