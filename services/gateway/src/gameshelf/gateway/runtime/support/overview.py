"""A user at a glance: the counts of every domain, which ``user show`` prints and ``user erase`` looks at again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.dead_letters import count_of_user
from gameshelf.kernel.database import Connection

Counts = Mapping[str, Any]
"""By the names of the fields of ``ShowUserResponse``: numbers, and times or None."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What one domain counts of a user."""

    count: Callable[[Connection, UUID], Awaitable[Counts]]
    volatile: frozenset[str] = frozenset()
    """The counts that change while the user only plays, or does nothing: no reason to refuse an erasure."""


class UserOverview:
    """The counts of all domains together. Raises ValueError where two count the same thing, once they have counted."""

    def __init__(self, parts: Sequence[Overview]) -> None:
        self._parts = parts
        self._volatile = frozenset(name for part in parts for name in part.volatile)

    async def count(self, connection: Connection, user_id: UUID) -> dict[str, Any]:
        """A user in numbers: the round trips of each domain, one after another."""
        counts: dict[str, Any] = {}
        for part in self._parts:
            found = await part.count(connection, user_id)
            if twice := counts.keys() & found.keys():
                raise ValueError(f"two domains count {', '.join(sorted(twice))}")
            counts |= found
        return counts

    def stable(self, counts: Counts) -> dict[str, Any]:
        """The counts without the volatile ones."""
        return {name: value for name, value in counts.items() if name not in self._volatile}


async def _count_dead_letters(connection: Connection, user_id: UUID) -> Counts:
    return {"dead_letters": await count_of_user(connection, user_id)}


OWN_OVERVIEW = Overview(_count_dead_letters, volatile=frozenset({"dead_letters"}))
