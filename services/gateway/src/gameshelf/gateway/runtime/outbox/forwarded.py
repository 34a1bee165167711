"""Forwarded events: they are about one user, but a change of another user made them. They are stored with that change,
and published in a transaction of the user whom they concern.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.gateway.runtime.distributed import PAGE, first_of_each, is_distributed
from gameshelf.gateway.runtime.tables import NOBODY, ForwardedEvent
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.events import Event
from gameshelf.kernel.sql import rows, user
from pydantic import TypeAdapter
from sqlalchemy import Integer, LargeBinary, String, Uuid, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_F = ForwardedEvent


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A type of event that one user's change may make for another.

    Its class must not be renamed, and its fields may only be added to: an older process may have stored the event.
    """

    event: type[Event]
    keeps_names: bool = False
    """Whether the id of an erased account stays in it: the event is not published, and its handler needs the id."""


_new = rows("new", type=("types", String), body=("bodies", LargeBinary))
_ADD = Statement(
    insert(ForwardedEvent).from_select(["user_id", "type", "body"], select(user(), *_new.c), include_defaults=False)
)
_LIMIT = bindparam("limit", type_=Integer)


def _next_user(after: Any) -> Any:
    # Jumps through the key from one user to the next: grouping would read every waiting event.
    one = aliased(ForwardedEvent)
    return select(col(one.user_id)).where(col(one.user_id) > after).order_by(col(one.user_id)).limit(1)


_first = select(col(_F.user_id)).order_by(col(_F.user_id)).limit(1).subquery("first")
_hops = select(_first.c.user_id).cte("hops", recursive=True)
_hops = _hops.union_all(select(_next_user(_hops.c.user_id).scalar_subquery()).where(_hops.c.user_id.is_not(None)))
_WAITING = Statement(select(_hops.c.user_id).where(_hops.c.user_id.is_not(None)).limit(_LIMIT))
_PAGE = Statement(
    select(col(_F.user_id))
    .where(col(_F.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(_F.user_id), col(_F.id))
    .limit(_LIMIT)
)
_oldest = select(col(_F.id)).where(col(_F.user_id) == user()).order_by(col(_F.id)).limit(_LIMIT)
_TAKE = Statement(
    delete(ForwardedEvent)
    .where(col(_F.user_id) == user(), col(_F.id).in_(_oldest))
    .returning(col(_F.id), col(_F.type), col(_F.body))
)


async def waiting(connection: Connection, limit: int) -> list[UUID]:
    """Returns at most ``limit`` users for whom events wait, the same ones first each time, in bounded work."""
    if not is_distributed(connection):
        return [row["user_id"] for row in await _WAITING.all(connection, limit=limit)]

    async def read(after: UUID) -> list[Record]:
        return await _PAGE.all(connection, after=after, limit=PAGE)

    # No event is about nobody, whose id is the lowest.
    return [row["user_id"] for row in await first_of_each(read, itemgetter("user_id"), NOBODY, limit)]


async def take_events(connection: Connection, user_id: UUID, limit: int) -> list[tuple[str, bytes]]:
    """Deletes and returns the oldest waiting events of a user, in their order: the name of the type, and the body."""
    found = await _TAKE.all(connection, user_id=user_id, limit=limit)
    return [(row["type"], row["body"]) for row in sorted(found, key=lambda row: row["id"])]


class ForwardedEvents:
    """Stores events for other users, and restores them as objects."""

    def __init__(self, kinds: Sequence[Forwarded]) -> None:
        self._kinds: dict[str, TypeAdapter[Event]] = {one.event.__name__: TypeAdapter(one.event) for one in kinds}
        self.keeping_names = tuple(one.event.__name__ for one in kinds if one.keeps_names)
        """Names of the types in which the id of an erased account stays."""

    def __contains__(self, event: Event) -> bool:
        """Returns whether the type of the event is one that a user's change may make for another user."""
        return type(event).__name__ in self._kinds

    async def add_events(self, connection: Connection, events: Sequence[Event]) -> None:
        """Stores events for the users whom they concern, in the running transaction: one statement for each user."""
        by_user: dict[UUID, list[Event]] = defaultdict(list)
        for event in events:
            by_user[event.user_id].append(event)
        for user_id, own in sorted(by_user.items()):
            await _ADD.write(
                connection,
                user_id=user_id,
                types=[type(event).__name__ for event in own],
                bodies=[self._kinds[type(event).__name__].dump_json(event) for event in own],
            )

    async def take_events(self, connection: Connection, user_id: UUID, limit: int) -> list[Event]:
        """Deletes and returns the oldest waiting events of a user, in their order."""
        return [self._kinds[name].validate_json(body) for name, body in await take_events(connection, user_id, limit)]
