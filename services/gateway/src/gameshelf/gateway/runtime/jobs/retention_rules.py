"""Retention rules: rows that a domain keeps for a limited time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameshelf.kernel.database import Connection


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long a domain keeps some of its rows, and how they are deleted."""

    name: str
    kept: timedelta
    prune: Callable[[Connection, datetime, int], Awaitable[int]]
    """Deletes at most a number of rows from before a time; returns how many it deleted, 0 if none is left."""
