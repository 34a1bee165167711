"""An erased account's id in what is kept for others: ``ERASED_USER`` takes its place."""

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
"""As an id is written. Our own messages have the first one; what other services sent, and we keep, may have any."""


def _in_text(table: Any, user: Any, text: Any, *conditions: Any) -> Statement:
    name, nobody = bindparam("name_0", type_=Text), bindparam("nobody_0", type_=Text)
    return Statement(
        update(table)
        .where(user == any_(array("user_ids", Uuid)), func.strpos(text, name) > 0, *conditions)
        .values({text: func.replace(text, name, nobody)})
    )


def _in_bytes(table: Any, user: Any, value: Any, *conditions: Any) -> Statement:
    # As digits: what other services sent need not be text.
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


# Each is found by its index on the user; what a user's devices and answers keep is of one day.
_TABLES = (
    # Types of events that keep the name are published to nobody, and are gone with the user's next commit.
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
    """Takes an erased account's id out of what is kept for these users, whose rows the caller has locked. It stays in
    forwarded events of ``kept_types``.

    The messages, answers and records stay, so no reader of a feed misses one. One round trip a table.
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
