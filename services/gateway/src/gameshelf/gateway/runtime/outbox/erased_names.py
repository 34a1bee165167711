"""Replaces an erased account's id by ``ERASED_USER`` in data that is kept for other users."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.tables import (
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
from gameshelf.kernel.users import ERASED_USER
from sqlalchemy import LargeBinary, Text, Uuid, all_, any_, bindparam, func, literal_column, or_, update
from sqlmodel import col

_HEX: Any = literal_column("'hex'")
_FORMS: tuple[Callable[[UUID], str], ...] = (
    str,
    lambda user_id: str(user_id).upper(),
    lambda user_id: user_id.hex,
    lambda user_id: user_id.hex.upper(),
)
"""The forms of an id. Messages of this service have the first one, stored messages of other services may have any."""


def _in_text(table: Any, user: Any, text: Any, *conditions: Any) -> Statement:
    name, nobody = bindparam("name_0", type_=Text), bindparam("nobody_0", type_=Text)
    return Statement(
        update(table)
        .where(user == any_(array("user_ids", Uuid)), func.strpos(text, name) > 0, *conditions)
        .values({text: func.replace(text, name, nobody)})
    )


def _in_bytes(table: Any, user: Any, value: Any, *conditions: Any) -> Statement:
    # Compared as hexadecimal digits: messages of other services need not be text.
    digits: Any = func.encode(value, _HEX)
    are_named = []
    for number in range(len(_FORMS)):
        are_named.append(func.pg_catalog.position(value, bindparam(f"name_bytes_{number}", type_=LargeBinary)) > 0)
        name, nobody = (bindparam(f"{one}_digits_{number}", type_=Text) for one in ("name", "nobody"))
        digits = func.replace(digits, name, nobody)
    return Statement(
        update(table)
        .where(user == any_(array("user_ids", Uuid)), or_(*are_named), *conditions)
        .values({value: func.decode(digits, _HEX)})
    )


# An index on the user finds the rows of each table; feed and idempotency keys hold one day only.
_TABLES = (
    # Types of events that keep the id are not published, and are deleted with the user's next commit.
    _in_bytes(
        ForwardedEvent,
        col(ForwardedEvent.user_id),
        col(ForwardedEvent.body),
        col(ForwardedEvent.type) != all_(array("kept_types", Text)),
    ),
    _in_text(FeedEntry, col(FeedEntry.user_id), col(FeedEntry.message)),
    _in_bytes(IdempotencyRecord, col(IdempotencyRecord.user_id), col(IdempotencyRecord.body)),
    _in_bytes(OutboxRecord, col(OutboxRecord.user_id), col(OutboxRecord.value)),
    _in_bytes(RefusedRecord, col(RefusedRecord.user_id), col(RefusedRecord.value)),
    _in_bytes(DeferredRecord, col(DeferredRecord.subject_id), col(DeferredRecord.value)),
    _in_bytes(DeadLetter, col(DeadLetter.user_id), col(DeadLetter.value)),
)


async def take_name_out(
    connection: Connection, erased_id: UUID, user_ids: Collection[UUID], kept_types: Collection[str]
) -> None:
    """Replaces an erased account's id in the stored messages, answers and records of these users, whose rows the caller
    has locked. It stays in forwarded events of ``kept_types``.

    No message is deleted, so no reader of a feed misses one. One round trip per table.
    """
    values: dict[str, Any] = {"user_ids": list(user_ids)}
    for number, form in enumerate(_FORMS):
        name, nobody = form(erased_id), form(ERASED_USER)
        values |= {
            f"name_{number}": name,
            f"nobody_{number}": nobody,
            f"name_bytes_{number}": name.encode(),
            f"name_digits_{number}": name.encode().hex(),
            f"nobody_digits_{number}": nobody.encode().hex(),
        }
    forwarded, *others = _TABLES
    await forwarded.run(connection, **values, kept_types=list(kept_types))
    for statement in others:
        await statement.run(connection, **values)
