"""A user's row in ``user_streams``: the lock that orders their writes, and the versions that reads check."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from gameshelf.gateway.runtime.distributed import by_shard
from gameshelf.gateway.runtime.tables import ErasedUser, ForwardedEvent, RestoreRecord, UserStream
from gameshelf.gateway.runtime.unit_of_work.head import SeenUser
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import rows
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    LargeBinary,
    String,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_USER = bindparam("user_id", type_=Uuid)
_HASH = bindparam("user_hash", type_=LargeBinary)
_WAS_ERASED = select(literal(1)).where(col(ErasedUser.user_hash) == _HASH).exists()

_LOCK = Statement(
    select(col(UserStream.last_sequence), col(UserStream.erased_at).is_not(None).label("erased"))
    .where(col(UserStream.user_id) == _USER)
    .with_for_update()
)
# For background work, which is repeated later: raises LockNotAvailableError instead of waiting.
_LOCK_NOW = Statement(
    select(col(UserStream.last_sequence), col(UserStream.erased_at).is_not(None).label("erased"))
    .where(col(UserStream.user_id) == _USER)
    .with_for_update(nowait=True)
)
_LOCK_FREE = Statement(
    select(col(UserStream.user_id), col(UserStream.last_sequence))
    .where(
        col(UserStream.user_id) == any_(bindparam("user_ids", type_=ARRAY(Uuid))), col(UserStream.erased_at).is_(None)
    )
    .with_for_update(skip_locked=True)
)
# The same statement checks the hash and creates the row, since an erasure writes the hash before it deletes the row.
# It returns what it has made: Citus also counts a row that was there.
# After a restore numbers begin at a higher offset: the user may have had a row in the time that was lost.
_begin = func.coalesce(
    select(cast(func.extract("epoch", func.max(col(RestoreRecord.restored_at))), BigInteger) * 1000).scalar_subquery(),
    0,
)
_CREATE = Statement(
    insert(UserStream)
    .from_select(
        ["user_id", "version", "last_sequence", "pruned_sequence"],
        select(_USER, _begin, _begin, _begin).where(~_WAS_ERASED),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(UserStream.user_id))
)
_members = rows("members", user_id=("user_ids", Uuid), user_hash=("user_hashes", LargeBinary))
_made = (
    insert(UserStream)
    .from_select(
        ["user_id", "version", "last_sequence", "pruned_sequence"],
        select(_members.c.user_id, _begin, _begin, _begin)
        .where(
            ~select(literal(1)).where(col(UserStream.user_id) == _members.c.user_id).exists(),
            ~select(literal(1)).where(col(ErasedUser.user_hash) == _members.c.user_hash).exists(),
        )
        .order_by(_members.c.user_id),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(UserStream.user_id), col(UserStream.version), col(UserStream.last_sequence))
    .cte("made")
)
_free = (
    select(col(UserStream.user_id), col(UserStream.version), col(UserStream.last_sequence))
    .where(
        col(UserStream.user_id) == any_(bindparam("user_ids", type_=ARRAY(Uuid))), col(UserStream.erased_at).is_(None)
    )
    .order_by(col(UserStream.user_id))
    .with_for_update(skip_locked=True)
    .cte("free")
)
_group = union_all(select(*_free.c), select(*_made.c)).subquery("opened")
_OPEN_GROUP = Statement(
    select(
        *_group.c,
        select(literal(1)).where(col(ForwardedEvent.user_id) == _group.c.user_id).exists().label("has_forwarded"),
    )
)
_row = select(UserStream).where(col(UserStream.user_id) == _USER).subquery()
_one = select(literal(1)).subquery()


@dataclass(frozen=True, slots=True)
class StreamState:
    """The state that a read depends on: the versions that its ETag covers, and the numbers of the user's events."""

    version: int
    last_sequence: int
    pruned_sequence: int
    erased: bool
    shared_version: int
    """The version that is the same for all users."""
    shares: str | None
    """The links by which others share with the user now, as text; None if nobody shares."""


@dataclass(frozen=True, slots=True)
class Erased:
    """An erased account, and whether some of its data may still exist."""

    erased_at: datetime
    is_running: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions, besides the user's own, that the pages of a user depend on."""

    shared: ColumnElement[int]
    """A version that is the same for all users, such as that of the catalog."""
    shares: ColumnElement[str]
    """The links by which others share with the user of ``user_id`` now, as text that differs when one has changed."""


def state_statement(versions: Versions | None) -> Statement:
    """Selects the columns of ``StreamState``."""
    return _STATE.checked(_state(versions))


def _state(versions: Versions | None) -> Statement:
    shared = versions.shared if versions else literal(0)
    shares = versions.shares if versions else cast(null(), String)
    return Statement(
        select(
            func.coalesce(_row.c.version, 0).label("version"),
            func.coalesce(_row.c.last_sequence, 0).label("last_sequence"),
            func.coalesce(_row.c.pruned_sequence, 0).label("pruned_sequence"),
            or_(_row.c.erased_at.is_not(None), _WAS_ERASED).label("erased"),
            shared.label("shared_version"),
            shares.label("shares"),
        ).select_from(_one.outerjoin(_row, true()))
    )


_OWN_STATE = _state(None)
_STATE = RowReader(StreamState, _OWN_STATE)
_SEEN = RowReader(SeenUser, _OPEN_GROUP)
_insert_erased = insert(UserStream).from_select(
    ["user_id", "erased_at"], select(_USER, func.now()), include_defaults=False
)
_MARK_ERASED = Statement(
    _insert_erased.on_conflict_do_update(
        index_elements=["user_id"],
        set_={"erased_at": _insert_erased.excluded.erased_at},
        where=col(UserStream.erased_at).is_(None),
    )
)
_BEING_ERASED = Statement(
    select(col(UserStream.user_id)).where(
        col(UserStream.user_id) == any_(bindparam("user_ids", type_=ARRAY(Uuid))),
        col(UserStream.erased_at).is_not(None),
    )
)
_ERASED = Statement(
    select(col(ErasedUser.erased_at), select(_row.c.user_id).exists().label("is_running")).where(
        col(ErasedUser.user_hash) == _HASH
    )
)
_ERASED_USER = RowReader(Erased, _ERASED)
_KEEP_HASH = Statement(insert(ErasedUser).values(user_hash=_HASH).on_conflict_do_nothing())


class UserErased(Exception):
    """The account was deleted; its data can neither be read nor written."""


class UserStreams:
    """Reads and locks users' rows. ``hash_key`` keys the hash of erased users; ``state`` selects a ``StreamState``."""

    def __init__(self, hash_key: bytes, state: Statement = _OWN_STATE) -> None:
        self._hash_key = hash_key
        self._state = state

    def hash(self, user_id: UUID) -> bytes:
        """Returns the keyed hash that stands for an erased user: the id cannot be found from it without the key."""
        return blake2b(user_id.bytes, key=self._hash_key[:64], digest_size=32).digest()

    def hash_text(self, text: str) -> int:
        """Returns a keyed hash of a text that may name a user, as a number of 64 bits."""
        digest = blake2b(text.encode(), key=self._hash_key[:64], digest_size=8).digest()
        return int.from_bytes(digest, signed=True)

    async def lock(self, connection: Connection, user_id: UUID, *, wait: bool = True) -> int:
        """Locks the user's row until the transaction ends; returns the number of their newest event.

        Raises UserErased; without ``wait`` LockNotAvailableError if another transaction holds it. One round trip, three
        for a user without a row.
        """
        lock = _LOCK if wait else _LOCK_NOW
        row = await lock.first(connection, user_id=user_id)
        if row is None:
            await self.create(connection, user_id)
            row = await lock.first(connection, user_id=user_id)
        if row is None or row["erased"]:
            raise UserErased
        sequence: int = row["last_sequence"]
        return sequence

    async def create(self, connection: Connection, user_id: UUID) -> bool:
        """Makes the row of a user who has none, which locks it; returns False if there is one, or the account was
        erased. One round trip, which waits for another transaction that makes the row.
        """
        return await _CREATE.first(connection, user_id=user_id, user_hash=self.hash(user_id)) is not None

    async def lock_free(self, connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, int]:
        """Locks the rows that no other transaction holds; returns each one's newest event number. Never waits.

        Users who are erased or have no row are left out, like those whose rows are held. One round trip, or one for
        each shard.
        """
        groups = await by_shard(connection, user_ids)
        rows = [row for group in groups for row in await _LOCK_FREE.all(connection, user_ids=group)]
        return {row["user_id"]: row["last_sequence"] for row in rows}

    async def open_group(self, connection: Connection, user_ids: Collection[UUID]) -> list[SeenUser]:
        """Locks the rows that no other transaction holds, and makes those that are missing. One round trip.

        Users who are erased are left out, like those whose rows are held. It waits only for a transaction that makes
        the same row; rows are made in the order of the ids, so that no two wait for each other.
        """
        ids = sorted(user_ids)
        rows = await _OPEN_GROUP.all(connection, user_ids=ids, user_hashes=[self.hash(user_id) for user_id in ids])
        return _SEEN.read_all(rows)

    async def state(self, connection: Connection, user_id: UUID) -> StreamState:
        """Reads the state of a user, who need not have a row. Raises UserErased."""
        row = await self._state.first(connection, user_id=user_id, user_hash=self.hash(user_id))
        if row is None or row["erased"]:
            raise UserErased
        return _STATE.read(row)

    async def being_erased(self, connection: Connection, user_ids: Collection[UUID]) -> Set[UUID]:
        """Returns those of the users whose account was deleted, but whose data may still exist."""
        groups = [user_ids] if len(user_ids) == 1 else await by_shard(connection, user_ids)
        rows = [row for group in groups for row in await _BEING_ERASED.all(connection, user_ids=list(group))]
        return {row["user_id"] for row in rows}

    async def erased(self, connection: Connection, user_id: UUID) -> Erased | None:
        """Returns when the account was erased; None for one that was not."""
        row = await _ERASED.first(connection, user_id=user_id, user_hash=self.hash(user_id))
        return _ERASED_USER.read_optional(row)

    async def mark_erased(self, connection: Connection, user_id: UUID) -> None:
        """Sets the tombstone that every write checks, in the caller's transaction."""
        await _KEEP_HASH.run(connection, user_hash=self.hash(user_id))
        await _MARK_ERASED.run(connection, user_id=user_id)
