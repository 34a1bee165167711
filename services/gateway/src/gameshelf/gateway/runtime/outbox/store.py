"""Writes the outbox and the feed in the transaction of a change, and reads the feed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gameshelf.gateway.runtime.tables import NOBODY, FeedEntry, OutboxRecord, UserStream
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, rows, user
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    TableValuedAlias,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    literal,
    outerjoin,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col

SHARDS = 16
"""The maximum number of concurrent relays: one at a time serves a shard, and a user is always in the same one."""


def shard_of(user_id: UUID | None, *, is_bulk: bool = False) -> int:
    """Returns the shard of a user; records about no user are in shard 0. Bulk topics have separate shards, so that a
    million notifications never delay another event.
    """
    shard = user_id.int % SHARDS if user_id else 0
    return shard + SHARDS if is_bulk else shard


class RecordKey(NamedTuple):
    """The key of a record of the outbox."""

    user_id: UUID
    id: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record for Kafka."""

    user_id: UUID | None
    topic: str
    key: str | None
    value: bytes
    traceparent: str | None = None
    is_bulk: bool = False
    """Whether its topic receives many records at once."""


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One message for a user's devices."""

    user_id: UUID
    sequence: int
    occurred_at: datetime
    message: str


RECORD_COLUMNS = ("shard", "user_id", "topic", "record_key", "value", "traceparent")


def insert_records(whose: ColumnElement[UUID] | None = None) -> Insert:
    """Inserts records of the user ``whose``, or without one each of the user in ``record_users``."""
    lists = {
        "shard": ("shards", SmallInteger),
        "user_id": ("record_users", Uuid),
        "topic": ("topics", String),
        "record_key": ("record_keys", String),
        "value": ("values", LargeBinary),
        "traceparent": ("traceparents", String),
    }
    new = _listed("record", lists, whose, with_ordinality="position")
    # The identity column numbers the rows in this order: the order of the user's events.
    given = select(*_of(new, RECORD_COLUMNS, whose)).order_by(new.c.position)
    return insert(OutboxRecord).from_select(RECORD_COLUMNS, given, include_defaults=False)


def insert_messages(whose: ColumnElement[UUID] | None = None) -> Insert:
    """Inserts messages of the user ``whose``, or without one each of the user in ``message_users``."""
    lists = {
        "user_id": ("message_users", Uuid),
        "sequence": ("sequences", BigInteger),
        "occurred_at": ("times", DateTime(timezone=True)),
        "message": ("messages", Text),
    }
    new = _listed("new", lists, whose)
    return insert(FeedEntry).from_select(list(lists), select(*_of(new, lists, whose)), include_defaults=False)


def _listed(
    name: str, lists: Mapping[str, tuple[str, Any]], whose: ColumnElement[UUID] | None, **options: str
) -> TableValuedAlias:
    own = {column_name: given for column_name, given in lists.items() if whose is None or column_name != "user_id"}
    parameters = (array(parameter, kind) for parameter, kind in own.values())
    columns = (column(column_name, kind) for column_name, (_, kind) in own.items())
    return func.unnest(*parameters).table_valued(*columns, name=name, **options).render_derived()


def _of(new: TableValuedAlias, names: Iterable[str], whose: ColumnElement[UUID] | None) -> list[ColumnElement[Any]]:
    return [whose if name == "user_id" and whose is not None else new.c[name] for name in names]


_ADD_RECORDS = Statement(insert_records())
# The last statement of a writing transaction writes version, number, feed and outbox in one round trip. All of it is
# about one user, by one parameter: where tables are distributed by user it runs on one shard, and users' changes do not
# wait for each other's.
_CLOSE = Statement(
    update(UserStream)
    .values(version=col(UserStream.version) + 1, last_sequence=bindparam("last", type_=BigInteger))
    .where(col(UserStream.user_id) == user())
    .add_cte(insert_messages(user()).cte("feed"), insert_records(user()).cte("outbox"))
)
_closed = rows("closed", user_id=("users", Uuid), last=("last", BigInteger))
_CLOSE_GROUP = Statement(
    update(UserStream)
    .values(version=col(UserStream.version) + 1, last_sequence=_closed.c.last)
    .where(col(UserStream.user_id) == _closed.c.user_id)
    .add_cte(insert_messages().cte("feed"), insert_records().cte("outbox"))
)
_following = (
    select(col(FeedEntry.sequence), col(FeedEntry.occurred_at), col(FeedEntry.message))
    .where(
        col(FeedEntry.user_id) == bindparam("user_id", type_=Uuid),
        col(FeedEntry.sequence) > bindparam("after", type_=BigInteger),
    )
    .order_by(col(FeedEntry.sequence))
    .limit(bindparam("limit", type_=Integer))
    .subquery("following")
)
# The same statement reads how far the feed is pruned: rows that are pruned between two statements would go unnoticed.
_FEED_AFTER = Statement(
    select(*_following.c, col(UserStream.pruned_sequence))
    .select_from(outerjoin(UserStream, _following, true()))
    .where(col(UserStream.user_id) == bindparam("user_id", type_=Uuid))
    .order_by(_following.c.sequence)
)
_MESSAGE = RowReader(FeedMessage, _FEED_AFTER, others=("pruned_sequence",), given=("user_id",))
_some_waiting = (
    select(literal(1))
    .where(col(OutboxRecord.topic) == any_(array("topics", String)))
    .limit(bindparam("limit", type_=Integer))
    .subquery("some_waiting")
)
_WAITING = Statement(select(func.count().label("waiting")).select_from(_some_waiting))
# The first key of the relays' advisory locks; the second is the shard.
LOCK_SPACE = 0x72656C61


def record_values(records: Sequence[Outgoing]) -> dict[str, list[object]]:
    """Returns the parameters of ``insert_records`` for one user."""
    return {
        "shards": [shard_of(record.user_id, is_bulk=record.is_bulk) for record in records],
        "topics": [record.topic for record in records],
        "record_keys": [record.key for record in records],
        "values": [record.value for record in records],
        "traceparents": [record.traceparent for record in records],
    }


def message_values(messages: Sequence[FeedMessage]) -> dict[str, list[object]]:
    """Returns the parameters of ``insert_messages`` for one user."""
    return {
        "sequences": [message.sequence for message in messages],
        "times": [message.occurred_at for message in messages],
        "messages": [message.message for message in messages],
    }


def _record_users(records: Sequence[Outgoing]) -> list[UUID]:
    return [record.user_id or NOBODY for record in records]


def closing(user_id: UUID, last: int, messages: Sequence[FeedMessage], records: Sequence[Outgoing]) -> BoundStatement:
    """Returns the statement that ends a writing transaction on a user whose row is locked. All messages and records are
    the user's; ``last`` is the newest event number.
    """
    return _CLOSE.bind(user_id=user_id, last=last, **message_values(messages), **record_values(records))


def closing_group(
    last: Mapping[UUID, int], messages: Sequence[FeedMessage], records: Sequence[Outgoing]
) -> BoundStatement:
    """Returns the statement that ends a writing transaction on users whose rows are locked; ``last`` has each user's
    newest event number. All its values are lists.
    """
    return _CLOSE_GROUP.bind(
        users=list(last),
        last=list(last.values()),
        message_users=[message.user_id for message in messages],
        record_users=_record_users(records),
        **message_values(messages),
        **record_values(records),
    )


async def add_records(connection: Connection, records: Sequence[Outgoing]) -> None:
    """Puts records that are about no user's data (dead letters) into the outbox."""
    await _ADD_RECORDS.run(connection, record_users=_record_users(records), **record_values(records))


async def feed_after(connection: Connection, user_id: UUID, after: int, limit: int) -> tuple[int, list[FeedMessage]]:
    """Returns how far the user's feed is pruned, and its messages with numbers above ``after``, oldest first."""
    rows = await _FEED_AFTER.all(connection, user_id=user_id, after=after, limit=limit)
    messages = [_MESSAGE.read(row, user_id=user_id) for row in rows if row["sequence"] is not None]
    return rows[0]["pruned_sequence"] if rows else 0, messages


async def is_full(connection: Connection, topics: Collection[str], limit: int) -> bool:
    """Returns whether at least ``limit`` records of these topics wait, in work that is bounded by ``limit``."""
    row = await _WAITING.first(connection, topics=list(topics), limit=limit)
    return row is not None and row["waiting"] >= limit
