"""How a change of one user begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement


@dataclass(frozen=True, slots=True)
class Opening:
    """What a use case reads and locks first. The lookups are read in one round trip."""

    lookups: Sequence[BoundStatement] = ()
    locks: Sequence[BoundStatement] = ()
    """Statements that lock something besides the user's row, whose values are integers or UUIDs."""
    is_optimistic: bool = True
    """Whether it is tried without a lock first. Its reads must depend only on what changes with the user's version."""

    @property
    def needs_lock(self) -> bool:
        return bool(self.locks) or not self.is_optimistic

    def lock_query(self, user_id: UUID) -> str:
        """Returns the statements that take all locks. They have no parameters, so that they can be sent together."""
        row = f"SELECT FROM gateway.user_streams WHERE user_id = '{user_id}' FOR UPDATE"
        return "; ".join([row, *map(_with_literals, self.locks)])


LOCKED = Opening(is_optimistic=False)
"""The opening of a use case that does not say what it reads."""


def _with_literals(lock: BoundStatement) -> str:
    query = lock.statement.sql
    for number, value in reversed(list(enumerate(lock.values, 1))):
        query = query.replace(f"${number}", _literal(value))
    return query


def _literal(value: Any) -> str:
    if not isinstance(value, int | UUID):
        raise TypeError(f"{type(value).__name__} in a lock")
    return str(value) if isinstance(value, int) else f"'{value}'"
