"""What was received about a user: the events that a commit applied, and the dead letters that name something."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.gateway.runtime.tables import DeadLetter, InboxEntry
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from sqlalchemy import Integer, LargeBinary, any_, bindparam, func, literal_column, select
from sqlmodel import col

MOST_LETTERS, MOST_EVENTS = 20, 100
LOOKED_AT = 1000
"""Number of a user's dead letters that are searched, the newest."""


@dataclass(frozen=True, slots=True)
class AppliedEvent:
    """An event that was applied."""

    source: str
    event_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NamingLetter:
    """A dead letter that names what was asked for."""

    id: UUID
    topic: str
    reason: str
    detail: str
    created_at: datetime


_E, _D = InboxEntry, DeadLetter
# Materialised: otherwise the index of times would be used, in which the events of everybody are.
_of_user = (
    select(col(_E.source), col(_E.event_id), col(_E.received_at))
    .where(col(_E.subject_id) == user())
    .cte("of_user")
    .prefix_with("MATERIALIZED")
)
_EVENTS = Statement(
    select(*_of_user.c)
    .where(_of_user.c.received_at == any_(array("moments", TIME)))
    .order_by(_of_user.c.received_at, _of_user.c.event_id)
    .limit(bindparam("limit", type_=Integer))
)
_newest = (
    select(col(_D.id), col(_D.topic), col(_D.reason), col(_D.detail), col(_D.created_at), col(_D.value))
    .where(col(_D.user_id) == user())
    .order_by(col(_D.created_at).desc(), col(_D.id).desc())
    .limit(LOOKED_AT)
    .subquery("newest")
)
_LETTERS = Statement(
    select(_newest.c.id, _newest.c.topic, _newest.c.reason, _newest.c.detail, _newest.c.created_at)
    .where(func.pg_catalog.position(_newest.c.value, bindparam("named", type_=LargeBinary)) > literal_column("0"))
    .order_by(_newest.c.created_at.desc(), _newest.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_EVENT, _LETTER = RowReader(AppliedEvent, _EVENTS), RowReader(NamingLetter, _LETTERS)


async def events_of_commits(
    connection: Connection, user_id: UUID, moments: Collection[datetime]
) -> Sequence[AppliedEvent]:
    """Returns the events of a user that were applied by the commits of these moments: PostgreSQL gives all rows of a
    transaction the same time. One round trip.
    """
    return _EVENT.read_all(await _EVENTS.all(connection, user_id=user_id, moments=sorted(moments), limit=MOST_EVENTS))


async def letters_naming(connection: Connection, user_id: UUID, named: str) -> Sequence[NamingLetter]:
    """Returns the newest dead letters of a user whose value contains a text. One round trip."""
    found = await _LETTERS.all(connection, user_id=user_id, named=named.encode(), limit=MOST_LETTERS)
    return _LETTER.read_all(found)
