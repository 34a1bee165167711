"""Finds things of all users by what support looks for, in all domains; each domain finds its own."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.gateway.runtime.tables import NOBODY, DeadLetter, UserStream
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Integer, Uuid, bindparam, select
from sqlmodel import col

SHORTEST_BEGINNING = 8
"""The number of characters that the beginning of an id has at least."""
LONGEST_SOUGHT = 200
_DIGITS = 32
_LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids that begin with some digits; a whole id is a range of one."""

    low: UUID
    high: UUID

    @classmethod
    def of(cls, text: str) -> "IdRange | None":
        """Returns the ids that begin with a text; None if it is no beginning of an id, or a too short one."""
        digits = text.replace("-", "")
        if not (SHORTEST_BEGINNING <= len(digits) <= _DIGITS and re.fullmatch("[0-9a-fA-F]+", digits)):
            return None
        return cls(UUID(digits.ljust(_DIGITS, "0")), UUID(digits.ljust(_DIGITS, "f")))


@dataclass(frozen=True, slots=True)
class Sought:
    """What support looks for, as everything that it may be."""

    text: str
    ids: IdRange | None
    is_beginning: bool
    """Whether it is long enough for the beginning of an id that is a text."""
    number: int | None
    """The number that it is; None if it is no number."""

    @classmethod
    def of(cls, text: str) -> "Sought":
        is_number = text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST_NUMBER
        return cls(text, IdRange.of(text), len(text) >= SHORTEST_BEGINNING, int(text) if is_number else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundThing:
    """A thing that was found; the fields are those of ``FoundObject``."""

    kind: str
    id: str
    user_id: UUID | None = None
    other_user_id: UUID | None = None
    product_id: UUID | None = None
    parent_id: UUID | None = None
    name: str = ""
    state: str = ""
    products: int = 0
    created_at: datetime | None = None


Finder = Callable[[Connection, Sought, int], Awaitable[Sequence[FoundThing]]]
"""Returns what a domain finds, at most so many of each kind, in a fixed number of round trips. Each of its statements
reads a bounded part of an index."""


class AccountsUnavailable(Exception):
    """The Account service did not answer."""


AccountSearch = Callable[[str, int], Awaitable[Sequence[FoundThing]]]
"""Returns at most so many users by a name or an e-mail address. Raises AccountsUnavailable."""

_U, _D = UserStream, DeadLetter
_LOW, _HIGH = bindparam("low_id", type_=Uuid), bindparam("high_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)
_USERS = Statement(
    select(col(_U.user_id)).where(col(_U.user_id).between(_LOW, _HIGH)).order_by(col(_U.user_id)).limit(_LIMIT)
)
_LETTERS = Statement(
    select(col(_D.id), col(_D.user_id), col(_D.topic), col(_D.reason), col(_D.created_at))
    .where(col(_D.id).between(_LOW, _HIGH))
    .order_by(col(_D.id))
    .limit(_LIMIT)
)


async def find_users(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
    """Finds users who have data. One round trip."""
    if sought.ids is None:
        return []
    rows = await _USERS.all(connection, low_id=sought.ids.low, high_id=sought.ids.high, limit=limit)
    return [FoundThing(kind="user", id=str(row["user_id"]), user_id=row["user_id"]) for row in rows]


async def find_letters(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
    """Finds dead letters. One round trip."""
    if sought.ids is None:
        return []
    rows = await _LETTERS.all(connection, low_id=sought.ids.low, high_id=sought.ids.high, limit=limit)
    return [
        FoundThing(
            kind="dead_letter",
            id=str(row["id"]),
            user_id=None if row["user_id"] == NOBODY else row["user_id"],
            name=row["topic"],
            state=row["reason"],
            created_at=row["created_at"],
        )
        for row in rows
    ]
