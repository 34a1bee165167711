"""Counts a user's data in all domains; ``user show`` prints the counts, and ``user erase`` checks them again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.dead_letters import count_of_user
from gameshelf.kernel.database import Connection

Counts = Mapping[str, Any]
"""Field of ``ShowUserResponse`` → a number, a time or None."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The counts of one domain."""

    count: Callable[[Connection, UUID], Awaitable[Counts]]
    volatile: frozenset[str] = frozenset()
    """Counts that change while the user plays or does nothing; a change of them does not prevent an erasure."""


class UserOverview:
    """The counts of all domains. ``count`` raises ValueError if two domains have the same field."""

    def __init__(self, parts: Sequence[Overview]) -> None:
        self._parts = parts
        self._volatile = frozenset(name for part in parts for name in part.volatile)

    async def count(self, connection: Connection, user_id: UUID) -> dict[str, Any]:
        """Counts a user's data, with the round trips of each domain one after another."""
        counts: dict[str, Any] = {}
        for part in self._parts:
            found = await part.count(connection, user_id)
            if twice := counts.keys() & found.keys():
                raise ValueError(f"two domains count {', '.join(sorted(twice))}")
            counts |= found
        return counts

    def stable(self, counts: Counts) -> dict[str, Any]:
        """Returns the counts without the volatile ones."""
        return {name: value for name, value in counts.items() if name not in self._volatile}


async def _count_dead_letters(connection: Connection, user_id: UUID) -> Counts:
    return {"dead_letters": await count_of_user(connection, user_id)}


OWN_OVERVIEW = Overview(_count_dead_letters, volatile=frozenset({"dead_letters"}))
