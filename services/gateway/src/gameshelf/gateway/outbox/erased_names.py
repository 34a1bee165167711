"""An erased account's id in what is kept for others: ``ERASED_USER`` takes its place."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from gameshelf.gateway.tables import (
    DeadLetter,
    DeferredRecord,
    FeedEntry,
    ForwardedEvent,
    IdempotencyRecord,
    OutboxRecord,
    RefusedRecord,
)
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import array
from gameshelf.library import ERASED_USER, ShareWithdrawn
from sqlalchemy import LargeBinary, Text, Uuid, any_, bindparam, func, literal_column, update
from sqlmodel import col

_NAME, _NOBODY = bindparam("name", type_=Text), bindparam("nobody", type_=Text)
_HEX: Any = literal_column("'hex'")


def _in_text(table: Any, user: Any, text: Any, *conditions: Any) -> Statement:
    return Statement(
        update(table)
        .where(user == any_(array("user_ids", Uuid)), func.strpos(text, _NAME) > 0, *conditions)
        .values({text: func.replace(text, _NAME, _NOBODY)})
    )


def _in_bytes(table: Any, user: Any, value: Any, *conditions: Any) -> Statement:
    # As digits: what other services sent need not be text.
    is_named = func.pg_catalog.position(value, bindparam("name_bytes", type_=LargeBinary)) > 0
    digits = func.replace(
        func.encode(value, _HEX), bindparam("name_digits", type_=Text), bindparam("nobody_digits", type_=Text)
    )
    return Statement(
        update(table)
        .where(user == any_(array("user_ids", Uuid)), is_named, *conditions)
        .values({value: func.decode(digits, _HEX)})
    )


# Each is found by its index on the user; what a user's devices and answers keep is of one day.
_TABLES = (
    # A withdrawn share is told to nobody, and says whose copies are no longer played: it goes with the next commit.
    _in_bytes(
        ForwardedEvent,
        col(ForwardedEvent.user_id),
        col(ForwardedEvent.body),
        col(ForwardedEvent.type) != literal_column(f"'{ShareWithdrawn.__name__}'"),
    ),
    _in_text(FeedEntry, col(FeedEntry.user_id), col(FeedEntry.message)),
    _in_bytes(IdempotencyRecord, col(IdempotencyRecord.user_id), col(IdempotencyRecord.body)),
    _in_bytes(OutboxRecord, col(OutboxRecord.user_id), col(OutboxRecord.value)),
    _in_bytes(RefusedRecord, col(RefusedRecord.user_id), col(RefusedRecord.value)),
    _in_bytes(DeferredRecord, col(DeferredRecord.subject_id), col(DeferredRecord.value)),
    _in_bytes(DeadLetter, col(DeadLetter.user_id), col(DeadLetter.value)),
)


async def take_name_out(connection: Connection, erased_id: UUID, user_ids: Collection[UUID]) -> None:
    """Takes an erased account's id out of what is kept for these users, whose rows the caller has locked.

    The messages, answers and records stay, so no reader of a feed misses one. One round trip a table.
    """
    name, nobody = str(erased_id), str(ERASED_USER)
    values = {
        "user_ids": list(user_ids),
        "name": name,
        "nobody": nobody,
        "name_bytes": name.encode(),
        "name_digits": name.encode().hex(),
        "nobody_digits": nobody.encode().hex(),
    }
    for statement in _TABLES:
        await statement.run(connection, **values)
