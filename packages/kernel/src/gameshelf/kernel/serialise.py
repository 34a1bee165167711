"""One user's changes, one after the other: the port by which services ask for that, and an answer to it.

A use case reads what it decides on and writes later. Two of them side by side would both decide on what the other is
about to change. So each one that writes asks first, and whoever composes the services says how the wait is done.
"""

from collections.abc import Collection, Set
from typing import Protocol
from uuid import UUID
from zlib import crc32

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import rows
from sqlalchemy import Integer, Text, Uuid, bindparam, cast, func, select

# The transaction gets its id before anything is read. So a job that waits until every older transaction has ended
# waits for this one too.
_SPACE = bindparam("space", type_=Integer)
_LOCK = Statement(
    select(
        func.pg_advisory_xact_lock(_SPACE, bindparam("key", type_=Integer)),
        cast(func.pg_current_xact_id(), Text),
        func.current_setting("transaction_isolation").label("isolation"),
    )
)
_users = rows("users", id=("user_ids", Uuid), key=("keys", Integer))
_TRY_LOCK = Statement(select(_users.c.id, func.pg_try_advisory_xact_lock(_SPACE, _users.c.key).label("is_locked")))


class Serialise(Protocol):
    """Lets one transaction at a time change the data of a user."""

    async def __call__(self, user_id: UUID) -> None:
        """Returns when no other transaction changes this user's data; none does until the running one ends.

        May be called again for the same user. What is read from then on has to be what the transactions before have
        committed: with READ COMMITTED, PostgreSQL's default, it is.
        """
        ...


class UnsuitableIsolation(RuntimeError):
    """A use case that writes was called in a transaction that keeps on reading what was there when it began."""


class NotInTransaction(RuntimeError):
    """A use case that writes was called outside a transaction, where no lock would last."""


def lock_space(schema: str) -> int:
    """The first key of a package's advisory locks, from the name of its schema."""
    return _signed(schema.encode())


def by_advisory_lock(connection: Connection, space: int) -> Serialise:
    """Answers the port by an advisory lock of PostgreSQL, which lasts until the transaction ends.

    ``space`` keeps the locks of one package from those of others (``lock_space``). Whoever calls several packages in
    one transaction gives all of them one answer, so that they have one lock and no order in which to take it. One round
    trip per call. Two users share a lock once in four thousand million pairs; then one waits for the other.

    Raises NotInTransaction where the connection has not begun one, and UnsuitableIsolation with REPEATABLE READ: what
    the transactions before have committed would not be seen. With SERIALIZABLE the database refuses one of two that
    decide on the same rows.
    """

    async def serialise(user_id: UUID) -> None:
        if not connection.is_in_transaction():
            raise NotInTransaction("begin a transaction first: async with connection.transaction()")
        locked = await _LOCK.first(connection, space=space, key=_signed(user_id.bytes))
        if locked and locked["isolation"] == "repeatable read":
            raise UnsuitableIsolation("use READ COMMITTED, the default: async with connection.transaction()")

    return serialise


async def lock_idle_users(connection: Connection, space: int, user_ids: Collection[UUID]) -> Set[UUID]:
    """Takes the locks of ``by_advisory_lock`` for those of the users whom no other transaction has; which they are.

    Waits for none, so it fits a job that holds other locks already. One round trip.
    """
    users = list(user_ids)
    found = await _TRY_LOCK.all(connection, space=space, user_ids=users, keys=[_signed(one.bytes) for one in users])
    return {row["id"] for row in found if row["is_locked"]}


def _signed(key: bytes) -> int:
    """A hash as PostgreSQL's integer. A part of an id would not do: many begin with the time."""
    return int.from_bytes(crc32(key).to_bytes(4, "big"), "big", signed=True)
