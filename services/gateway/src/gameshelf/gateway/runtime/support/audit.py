"""The audit of support commands: changes, refusals and reads. Only an erasure changes an entry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.tables import NOBODY_HASH, AuditRecord, ErasedUser
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

KEPT = timedelta(days=3 * 365)
"""How long audit entries are kept."""

State = dict[str, Any]
"""A part of a user's data as plain JSON."""


class EntryKind(StrEnum):
    """The kind of an audit entry."""

    CHANGE = "change"
    REFUSAL = "refusal"
    READ = "read"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be written. ``target`` has the parameters of the command."""

    kind: EntryKind
    command: str
    user_id: UUID | None
    target: State
    reason: str | None = None
    before: State | None = None
    after: State | None = None
    code: str | None = None
    undo_of: int | None = None
    ticket: str | None = None
    batch_id: UUID | None = None
    batch_item: str | None = None
    """Which of the batch's changes of this user it is; unique within both. None: not one of its changes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit entry. For an erased account it has neither the id nor any of its data."""

    id: int
    happened_at: datetime
    kind: str
    command: str
    actor_id: UUID | None
    actor_roles: str
    user_id: UUID | None
    target: State
    reason: str | None
    before: State | None
    after: State | None
    code: str | None
    undo_of: int | None
    undone_by: int | None
    ticket: str | None = None
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Selects entries; a field that is None selects all. ``before_id`` is where the previous page ended."""

    user_id: UUID | None = None
    actor_id: UUID | None = None
    kind: str | None = None
    command: str | None = None
    ticket: str | None = None
    batch_id: UUID | None = None
    before_id: int | None = None


_A = AuditRecord
_json = {name: cast(bindparam(name, type_=Text), JSONB) for name in ("target", "before", "after")}
_user_hash, _actor_hash = (bindparam(name, type_=LargeBinary) for name in ("user_hash", "actor_hash"))


def _unless_erased(value: Any, instead: Any = None, whose: Any = _user_hash) -> Any:
    # If the account is erased already, the entry contains only what an erasure would keep.
    is_erased = select(col(ErasedUser.user_hash)).where(col(ErasedUser.user_hash) == whose).exists()
    return case((is_erased, null() if instead is None else instead), else_=value)


# 0 where there is no number: jsonb_set returns NULL for NULL.
_refusals = func.coalesce(cast(cast(col(_A.target), JSONB)["refusals"].astext, Integer), literal_column("0"))
_COUNT_REFUSAL = Statement(
    update(AuditRecord)
    .where(col(_A.user_hash) == _user_hash, col(_A.id) == bindparam("entry_id", type_=BigInteger))
    .values(
        # Not by jsonb_build_object: its result depends on the session, so Citus refuses it with a column.
        target=func.jsonb_set(
            cast(col(_A.target), JSONB), literal_column("'{refusals}'::text[]"), cast(cast(_refusals + 1, Text), JSONB)
        )
    )
)
_entry = {
    "kind": bindparam("kind", type_=String),
    "command": bindparam("command", type_=String),
    "actor_id": _unless_erased(bindparam("actor_id", type_=Uuid), whose=_actor_hash),
    "actor_roles": bindparam("actor_roles", type_=String),
    "user_id": _unless_erased(bindparam("user_id", type_=Uuid)),
    "user_hash": _user_hash,
    "reason": _unless_erased(bindparam("reason", type_=String)),
    "code": bindparam("code", type_=String),
    "undo_of": bindparam("undo_of", type_=BigInteger),
    "ticket": _unless_erased(bindparam("ticket", type_=String)),
    "batch_id": bindparam("batch_id", type_=Uuid),
    "batch_item": bindparam("batch_item", type_=BigInteger),
    "target": _unless_erased(_json["target"], literal_column("'{}'::jsonb")),
    "before": _unless_erased(_json["before"]),
    "after": _unless_erased(_json["after"]),
}
_ADD = Statement(
    insert(AuditRecord)
    .from_select(list(_entry), select(*_entry.values()), include_defaults=False)
    .returning(col(_A.id))
)
_undo = aliased(AuditRecord)
# Looked up for each entry of a page: a join might read all that was undone for a user.
_undone_by = (
    select(col(_undo.id))
    .where(col(_undo.user_hash) == col(_A.user_hash), col(_undo.undo_of) == col(_A.id))
    .correlate(AuditRecord)
    .scalar_subquery()
)
_entries = select(
    col(_A.id),
    col(_A.happened_at),
    col(_A.kind),
    col(_A.command),
    col(_A.actor_id),
    col(_A.actor_roles),
    col(_A.user_id),
    cast(col(_A.target), Text).label("target"),
    col(_A.reason),
    cast(col(_A.before), Text).label("before"),
    cast(col(_A.after), Text).label("after"),
    col(_A.code),
    col(_A.undo_of),
    _undone_by.label("undone_by"),
    col(_A.ticket),
    col(_A.batch_id),
)
_ID = col(_A.id) == bindparam("id", type_=BigInteger)
_FIND = Statement(_entries.where(_ID))
_in_batch = _entries.where(
    col(_A.batch_id) == bindparam("batch_id", type_=Uuid),
    col(_A.batch_item) == bindparam("batch_item", type_=BigInteger),
)
_FIND_IN_BATCH = Statement(_in_batch.where(col(_A.user_hash) == _user_hash))
_LIST_OF_ITEM = Statement(_in_batch.order_by(col(_A.id).desc()).limit(bindparam("limit", type_=Integer)))


_WAYS = {
    "user_id": col(_A.user_hash) == _user_hash,
    "actor_id": col(_A.actor_id) == bindparam("actor_id", type_=Uuid),
    "kind": col(_A.kind) == bindparam("kind", type_=String),
    "command": col(_A.command) == bindparam("command", type_=String),
    "ticket": col(_A.ticket) == bindparam("ticket", type_=String),
    "batch_id": col(_A.batch_id) == bindparam("batch_id", type_=Uuid),
}


def _listed(names: tuple[str, ...]) -> Statement:
    """Selects entries by exactly these fields, because a condition on an optional parameter could use no index."""
    before = col(_A.id) < bindparam("before_id", type_=BigInteger)
    found = _entries.where(before, *(_WAYS[name] for name in names)).order_by(col(_A.id).desc())
    return Statement(found.limit(bindparam("limit", type_=Integer)))


_LIST = {names: _listed(names) for count in range(len(_WAYS) + 1) for names in combinations(_WAYS, count)}
# Parsed from text: PostgreSQL's numbers may be longer than a float.
_ENTRY = RowReader(
    Entry,
    _FIND,
    _FIND_IN_BATCH,
    _LIST_OF_ITEM,
    *_LIST.values(),
    convert=dict.fromkeys(("target", "before", "after"), json.loads),
)
_LARGEST = 2**63 - 1


class AuditLog:
    """Reads and writes the audit, on the connection of the transaction that an entry belongs to."""

    def __init__(self, streams: UserStreams) -> None:
        self._streams = streams

    async def add_entry(self, connection: Connection, by: Identity, new: NewEntry) -> int:
        """Writes an entry and returns its id. For an erased account the entry has no data."""
        row = await _ADD.first(
            connection,
            kind=new.kind,
            command=new.command,
            actor_id=by.user_id,
            actor_hash=self._streams.hash(by.user_id),
            actor_roles=",".join(sorted(by.roles)),
            user_id=new.user_id,
            user_hash=self._hash_of(new.user_id),
            target=_text(new.target),
            reason=new.reason,
            before=_text(new.before),
            after=_text(new.after),
            code=new.code,
            undo_of=new.undo_of,
            ticket=new.ticket,
            batch_id=new.batch_id,
            batch_item=None if new.batch_item is None else self._streams.hash_text(new.batch_item),
        )
        assert row is not None
        entry_id: int = row["id"]
        return entry_id

    async def count_refusal(self, connection: Connection, entry_id: int) -> None:
        """Counts a refusal in a shared entry, which is about no user."""
        await _COUNT_REFUSAL.run(connection, user_hash=NOBODY_HASH, entry_id=entry_id)

    async def find_entry(self, connection: Connection, entry_id: int) -> Entry | None:
        """Returns the entry with this id, about any user; None if there is none."""
        return _ENTRY.read_optional(await _FIND.first(connection, id=entry_id))

    async def find_in_batch(
        self, connection: Connection, user_id: UUID | None, batch_id: UUID, batch_item: str
    ) -> Entry | None:
        """Returns the entry of a change that a batch has made; None if it was not made."""
        return _ENTRY.read_optional(
            await _FIND_IN_BATCH.first(
                connection,
                user_hash=self._hash_of(user_id),
                batch_id=batch_id,
                batch_item=self._streams.hash_text(batch_item),
            )
        )

    async def list_of_item(
        self, connection: Connection, batch_id: UUID, batch_item: str, limit: int
    ) -> Sequence[Entry]:
        """Returns the entries of an item of a batch, of whichever user's data, the newest first."""
        item = self._streams.hash_text(batch_item)
        rows = await _LIST_OF_ITEM.all(connection, batch_id=batch_id, batch_item=item, limit=limit)
        return _ENTRY.read_all(rows)

    async def list_entries(self, connection: Connection, of: AuditFilter, limit: int) -> Sequence[Entry]:
        """Returns entries, newest first."""
        rows = await _LIST[tuple(name for name in _WAYS if getattr(of, name) is not None)].all(
            connection,
            user_hash=self._streams.hash(of.user_id) if of.user_id else None,
            actor_id=of.actor_id,
            kind=of.kind,
            command=of.command,
            ticket=of.ticket,
            batch_id=of.batch_id,
            before_id=_LARGEST if of.before_id is None else of.before_id,
            limit=limit,
        )
        return _ENTRY.read_all(rows)

    def _hash_of(self, user_id: UUID | None) -> bytes:
        return self._streams.hash(user_id) if user_id else NOBODY_HASH


def _text(state: State | None) -> str | None:
    return None if state is None else encode(state).decode()
