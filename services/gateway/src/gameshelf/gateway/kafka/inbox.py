"""The inbox: an event is applied once, however often it comes."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from gameshelf.gateway.tables import DeadLetter, InboxEntry
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import ARRAY, LargeBinary, String, Text, Uuid, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

KEPT = timedelta(days=30)

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
    .returning(col(InboxEntry.source), col(InboxEntry.event_id))
)
_KEEP_DEAD = Statement(
    insert(DeadLetter)
    .values(
        id=bindparam("id", type_=Uuid),
        user_id=bindparam("user_id", type_=Uuid),
        topic=bindparam("topic", type_=String),
        reason=bindparam("reason", type_=String),
        detail=bindparam("detail", type_=Text),
        record_key=bindparam("record_key", type_=LargeBinary),
        value=bindparam("value", type_=LargeBinary),
    )
    .on_conflict_do_nothing(index_elements=["id"])
)


async def take_new(connection: Connection, events: Sequence[tuple[UUID, str, str]]) -> set[tuple[str, str]]:
    """Of (subject, source, event id) those not applied before, as (source, event id); now they count as applied."""
    rows = await _TAKE.all(
        connection,
        subjects=[subject for subject, _, _ in events],
        sources=[source for _, source, _ in events],
        event_ids=[event_id for _, _, event_id in events],
    )
    return {(row["source"], row["event_id"]) for row in rows}


async def keep_dead_letter(
    connection: Connection,
    *,
    identity: str,
    user_id: UUID | None,
    topic: str,
    reason: str,
    detail: str,
    key: bytes | None,
    value: bytes | None,
) -> bool:
    """Keeps a record that can't be applied; False when it was kept before. ``identity`` tells records apart."""
    return (
        await _KEEP_DEAD.run(
            connection,
            id=uuid5(NAMESPACE_OID, identity),
            user_id=user_id,
            topic=topic,
            reason=reason,
            detail=detail,
            record_key=key,
            value=value,
        )
        == 1
    )
