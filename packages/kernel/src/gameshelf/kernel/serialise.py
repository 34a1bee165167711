"""The port by which services change one user's data in one transaction at a time, and an implementation of it.

A use case reads the state that it decides on, and writes later. Two transactions at once would both decide on a state
that the other one is about to change. So each use case that writes first awaits ``serialise(user_id)``, and the caller
of the services chooses how that waits.
"""

from collections.abc import Collection, Set
from typing import Protocol
from uuid import UUID
from zlib import crc32

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import rows
from sqlalchemy import Integer, Text, Uuid, bindparam, cast, func, literal, select

LOCK_SPACE = -281_302_771
"""The first key of the advisory locks of users: the same one for all packages and all releases."""

# The transaction gets its id before anything is read. So a job that waits for all older transactions to end waits for
# this one too.
_SPACE = literal(LOCK_SPACE, Integer)
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

        It may be called again for the same user. Reads after it have to see the commits of the transactions before;
        with READ COMMITTED, PostgreSQL's default, they do.
        """
        ...


class UnsuitableIsolation(RuntimeError):
    """A use case that writes was called in a transaction that reads one snapshot, so it would read an old state."""


class NotInTransaction(RuntimeError):
    """A use case that writes was called outside a transaction, where a lock would end at once."""


def by_advisory_lock(connection: Connection) -> Serialise:
    """Implements the port by an advisory lock of PostgreSQL, which lasts until the transaction ends. One round trip per
    call.

    A user has one lock for all packages. So one transaction may call several packages in any order: it waits once, and
    two such transactions never deadlock. Two users share a lock once in four thousand million pairs; then one waits for
    the other.

    Raises NotInTransaction where the connection has not begun a transaction, and UnsuitableIsolation with REPEATABLE
    READ, which would not see the commits of the transactions before. With SERIALIZABLE the database refuses one of two
    transactions that decide on the same rows.
    """

    async def serialise(user_id: UUID) -> None:
        if not connection.is_in_transaction():
            raise NotInTransaction("begin a transaction first: async with connection.transaction()")
        locked = await _LOCK.first(connection, key=_signed(user_id.bytes))
        if locked and locked["isolation"] == "repeatable read":
            raise UnsuitableIsolation("use READ COMMITTED, the default: async with connection.transaction()")

    return serialise


async def lock_idle_users(connection: Connection, user_ids: Collection[UUID]) -> Set[UUID]:
    """Takes the locks of ``by_advisory_lock`` for those of the users whom no other transaction has locked, and returns
    these users.

    It never waits, so a job that holds other locks already may call it. One round trip.
    """
    users = list(user_ids)
    found = await _TRY_LOCK.all(connection, user_ids=users, keys=[_signed(one.bytes) for one in users])
    return {row["id"] for row in found if row["is_locked"]}


def _signed(key: bytes) -> int:
    """Returns a hash as an integer of PostgreSQL. A part of an id would not do: many ids begin with the time."""
    return int.from_bytes(crc32(key).to_bytes(4, "big"), "big", signed=True)
