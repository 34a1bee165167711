"""What happened to a user, by kinds: each is a read of its own, the newest first, that continues at a place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME
from sqlalchemy import Integer, String, and_, bindparam, literal_column, or_, select

_KNOWN = frozenset({"at", "key", "product_id"})
_LAST = "~"
"""Behind each key: keys begin with a digit or a letter of ASCII."""


@dataclass(frozen=True, slots=True)
class HappeningPlace:
    """A place among happenings: of one time they are ordered by kind and key."""

    at: datetime
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a user. ``at`` is aware and in UTC."""

    at: datetime
    kind: str
    key: str
    """Distinguishes it from others of its kind at the same time."""
    product_id: UUID | None
    """None where it is about no product."""
    facts: Mapping[str, Any]
    """What else is known of it, as values that JSON has, times and ids."""

    @property
    def place(self) -> HappeningPlace:
        """The place after which a list continues behind it."""
        return HappeningPlace(self.at, self.kind, self.key)


class Happenings:
    """All happenings of one kind.

    ``found`` selects those of the user: their time as ``at``, a text as ``key``, the product as ``product_id`` (or
    null), and the facts. It finds them by an index that begins with the user, and which is in the order of the time if
    ``in_order``: then only a page is read. Otherwise all of them are, which are few.
    """

    def __init__(self, kind: str, found: Any, *, in_order: bool = False) -> None:
        # An index of the time alone may look cheaper to the server, but it would read the rows of all users.
        rows = (found if in_order else found.offset(literal_column("0"))).subquery("happened")
        before, key = bindparam("before", type_=TIME), rows.c.key.collate("C")
        cut = or_(rows.c.at < before, and_(rows.c.at == before, key > bindparam("after_key", type_=String)))
        page = (
            select(*rows.c)
            .where(rows.c.at >= bindparam("since", type_=TIME), rows.c.at <= before, cut)
            .order_by(rows.c.at.desc(), key)
            .limit(bindparam("limit", type_=Integer))
        )
        self.kind = kind
        self.statements = (Statement(page),)

    async def read(
        self, connection: Connection, since: datetime, after: HappeningPlace, limit: int, **whose: Any
    ) -> list[Happening]:
        """Returns the newest ones behind a place. ``whose`` has the parameters that name the user. One round trip."""
        [statement] = self.statements
        # Of the time of the place, the kinds before its own are listed already, and those behind it are not.
        after_key = after.key if self.kind == after.kind else _LAST if self.kind < after.kind else ""
        rows = await statement.all(connection, since=since, before=after.at, after_key=after_key, limit=limit, **whose)
        return [self._read(row) for row in rows]

    def _read(self, row: Any) -> Happening:
        facts = {name: value for name, value in row.items() if name not in _KNOWN}
        return Happening(row["at"], self.kind, row["key"], row["product_id"], facts)


def place_before(moment: datetime) -> HappeningPlace:
    """Returns the place in front of everything that happened before a time."""
    return HappeningPlace(moment, _LAST, _LAST)
