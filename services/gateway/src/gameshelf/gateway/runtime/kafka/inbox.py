"""The inbox: it makes sure that an event is applied once, however often it is delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from gameshelf.gateway.runtime.tables import NOBODY, DeadLetter, InboxEntry
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import rows
from sqlalchemy import ARRAY, LargeBinary, String, Text, Uuid, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

KEPT = timedelta(days=30)

EventIdentity = tuple[UUID, str, str]
"""What identifies an event: its subject, its source and its id."""

_incoming = (
    func.unnest(
        bindparam("subjects", type_=ARRAY(Uuid)),
        bindparam("sources", type_=ARRAY(String)),
        bindparam("event_ids", type_=ARRAY(String)),
    )
    .table_valued(column("subject_id", Uuid), column("source", String), column("event_id", String), name="incoming")
    .render_derived()
)
_TAKE = Statement(
    insert(InboxEntry)
    .from_select(["subject_id", "source", "event_id"], select(*_incoming.c).distinct(), include_defaults=False)
    .on_conflict_do_nothing()
    .returning(col(InboxEntry.subject_id), col(InboxEntry.source), col(InboxEntry.event_id))
)
_letters = rows("letters", id=("ids", Uuid), detail=("details", Text), value=("values", LargeBinary))
_KEEP_DEAD = Statement(
    insert(DeadLetter)
    .from_select(
        ["id", "user_id", "topic", "reason", "detail", "record_key", "value"],
        select(
            _letters.c.id,
            bindparam("user_id", type_=Uuid),
            bindparam("topic", type_=String),
            bindparam("reason", type_=String),
            _letters.c.detail,
            bindparam("record_key", type_=LargeBinary),
            _letters.c.value,
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(DeadLetter.id))
)


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A dead letter of a record, identified by ``identity``."""

    identity: str
    detail: str
    value: bytes | None

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE_OID, self.identity)


async def take_new(connection: Connection, events: Sequence[EventIdentity]) -> set[EventIdentity]:
    """Marks events as applied; returns those that were not applied before."""
    rows = await _TAKE.all(
        connection,
        subjects=[subject for subject, _, _ in events],
        sources=[source for _, source, _ in events],
        event_ids=[event_id for _, _, event_id in events],
    )
    return {(row["subject_id"], row["source"], row["event_id"]) for row in rows}


async def keep_dead_letters(
    connection: Connection,
    letters: Sequence[NewLetter],
    *,
    user_id: UUID | None,
    topic: str,
    reason: str,
    key: bytes | None,
) -> set[UUID]:
    """Stores dead letters of a record; returns the ids of those that were not stored before."""
    kept = await _KEEP_DEAD.all(
        connection,
        ids=[letter.id for letter in letters],
        details=[letter.detail for letter in letters],
        values=[letter.value for letter in letters],
        user_id=user_id or NOBODY,
        topic=topic,
        reason=reason,
        record_key=key,
    )
    return {row["id"] for row in kept}
