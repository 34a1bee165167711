"""The first statement of a change, and the last one of an optimistic change, which is about the version of the row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.outbox.store import (
    FeedMessage,
    Outgoing,
    insert_messages,
    insert_records,
    message_values,
    record_values,
)
from gameshelf.gateway.runtime.tables import ForwardedEvent, UserStream
from gameshelf.gateway.runtime.unit_of_work.units import NeedsLock, OptimisticUnit, UnitOfWork
from gameshelf.kernel.database import BoundStatement, Statement
from gameshelf.kernel.sql import user
from sqlalchemy import BigInteger, Integer, bindparam, func, literal, select, update
from sqlmodel import col

_S = UserStream
_VERSION = bindparam("version", type_=BigInteger)
_OPEN = Statement(
    select(
        col(_S.version),
        col(_S.last_sequence),
        col(_S.erased_at).is_not(None).label("erased"),
        select(literal(1)).where(col(ForwardedEvent.user_id) == user()).exists().label("has_forwarded"),
    ).where(col(_S.user_id) == user())
)
_is_same = (col(_S.user_id) == user(), col(_S.version) == _VERSION, col(_S.erased_at).is_(None))
_CONFIRM = Statement(select(literal(1)).where(*_is_same))


def _guarded(head: Any, *others: Any) -> Statement:
    """Runs ``head`` and the others; all fail if ``head`` finds no row.

    PostgreSQL evaluates the SELECT first, and with it ``head``, and the rest only then. So the user's row is locked
    before any other row, as in a transaction that locks it.
    """
    found = head.cte("head")
    guard = func.coalesce(select(found.c.one).scalar_subquery(), func.gateway.lost_race(type_=Integer))
    return Statement(select(guard.label("one")).add_cte(*others))


_CLOSE = _guarded(
    update(UserStream)
    .where(*_is_same)
    .values(version=_VERSION + 1, last_sequence=bindparam("last", type_=BigInteger))
    .returning(literal(1).label("one")),
    insert_messages(user()).cte("feed"),
    insert_records(user()).cte("outbox"),
)
# The answer that a refusal keeps is a change too: a request with the same key, which has not seen it, must not succeed.
_KEEP_ANSWER = _guarded(
    update(UserStream).where(*_is_same).values(version=_VERSION + 1).returning(literal(1).label("one"))
)


@dataclass(frozen=True, slots=True)
class SeenUser:
    """A user's row, as it was before a change read anything else."""

    user_id: UUID
    version: int
    last_sequence: int
    has_forwarded: bool
    """Whether forwarded events wait. They come before all others, so an optimistic change has to give way."""

    def closing(
        self, last_sequence: int, messages: Sequence[FeedMessage], records: Sequence[Outgoing]
    ) -> BoundStatement:
        """Returns the last statement of an optimistic change. It fails with a serialization failure if the user is not
        as seen.
        """
        return _CLOSE.bind(
            user_id=self.user_id,
            version=self.version,
            last=last_sequence,
            **message_values(messages),
            **record_values(records),
        )

    async def close_unchanged(self, connection: UnitOfWork) -> None:
        """Ends a change that changed no data of the user, though it may keep its answer. One round trip, or none under
        a lock if nothing is kept.

        Raises NeedsLock or SerializationError if the user is not as seen.
        """
        if connection.has_writes:
            await connection.close(_KEEP_ANSWER.bind(user_id=self.user_id, version=self.version))
        elif isinstance(connection, OptimisticUnit):
            await self.confirm(connection)

    async def confirm(self, connection: OptimisticUnit) -> None:
        """Raises NeedsLock if the user has changed since: the reads may show different states. One round trip."""
        if await _CONFIRM.first(connection, user_id=self.user_id, version=self.version) is None:
            raise NeedsLock("the user has changed")


async def see(connection: UnitOfWork, user_id: UUID, lookups: Sequence[BoundStatement]) -> SeenUser | None:
    """Reads the user's row, and what the lookups of the use case find, in one round trip.

    Returns None for a user who has no row, or whose account is being erased.
    """
    row = await connection.look_up(_OPEN.bind(user_id=user_id), lookups)
    if row is None or row["erased"]:
        return None
    return SeenUser(user_id, row["version"], row["last_sequence"], row["has_forwarded"])
