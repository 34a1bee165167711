"""Erases deleted accounts in bounded parts, resumed after a crash, until only a keyed hash is left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.restores import open_restore
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.tables import (
    AuditRecord,
    DeadLetter,
    DeferredRecord,
    FeedEntry,
    ForwardedEvent,
    IdempotencyRecord,
    InboxEntry,
    OutboxRecord,
    RefusedRecord,
    UserStream,
)
from gameshelf.gateway.runtime.transaction import MakeService, ServiceContext
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.errors import DependencyUnavailable
from gameshelf.kernel.events import Event
from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    LargeBinary,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    null,
    select,
    tuple_,
    update,
)
from sqlmodel import col

_CHUNK = 1000
_PAGE = 500
_PARTS_IN_TURN = 20
"""How many parts of one user are erased before the job continues with the next user."""
_MOST_EMPTY = 100_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_FOR = timedelta(minutes=15)
"""Minimum lifetime of the tombstone. Every instance sees it, and closes the user's connections. What was in work for
the user when the objects were deleted has ended by then: objects that it has written are deleted before the tombstone.
"""

EraseRows = Callable[[Connection, UUID, int], Awaitable[bool]]
"""Deletes at most a number of rows or objects of a user; returns True while there may be more."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """A domain's part in the erasure of a deleted account."""

    before: Callable[[UUID], Awaitable[bool]] | None = None
    """Ends connections of the account with others, before rows are deleted; returns False if some remain for now."""
    has_partners: Callable[[Connection, UUID], Awaitable[bool]] | None = None
    """Returns whether the account is connected with others."""
    rows: Sequence[EraseRows] = ()
    """Functions that delete the domain's rows, in this order, in the transaction of the erasure."""
    objects: EraseRows | None = None
    """Deletes the domain's files after all rows. May raise DependencyUnavailable."""


def erase_rows(make: MakeService) -> EraseRows:
    """Makes a function that deletes rows by a service's method ``erase`` and publishes nothing."""

    async def erase(connection: Connection, user_id: UUID, limit: int) -> bool:
        context = ServiceContext(connection, publish_nothing, utc_now, _serialised_already)
        has_more: bool = await make(context).erase(user_id, limit)
        return has_more

    return erase


def publish_nothing(event: Event) -> None:
    """Drops an event: nothing is published about an erasure."""


async def _serialised_already(user_id: UUID) -> None:
    """Does nothing: the tombstone of an erased user prevents all other writes."""


_ERASED_USERS = Statement(
    select(col(UserStream.user_id), col(UserStream.erased_at))
    .where(col(UserStream.erased_at).is_not(None))
    .where(
        tuple_(col(UserStream.erased_at), col(UserStream.user_id))
        > tuple_(bindparam("after_time", type_=DateTime(timezone=True)), bindparam("after_user", type_=Uuid))
    )
    .order_by(col(UserStream.erased_at), col(UserStream.user_id))
    .limit(bindparam("limit", type_=Integer))
)
_USER = bindparam("user_id", type_=Uuid)
# By this lock one instance at a time erases a user, and not during a write that began before the tombstone.
_TAKE = Statement(
    select(col(UserStream.user_id)).where(col(UserStream.user_id) == _USER).with_for_update(skip_locked=True)
)


def _erase(table: Any, *key: Any, user: Any) -> Statement:
    chunk = select(*key).where(user == _USER).limit(bindparam("limit", type_=Integer))
    return Statement(delete(table).where(user == _USER, tuple_(*key).in_(chunk)))


def _blank(where: Any, **values: Any) -> Statement:
    key = col(AuditRecord.user_hash), col(AuditRecord.id)
    chunk = select(*key).where(where).limit(bindparam("limit", type_=Integer))
    return Statement(
        update(AuditRecord)
        .where(tuple_(*key).in_(chunk))
        .values(**{name: null() if value is None else literal_column("'{}'::jsonb") for name, value in values.items()})
    )


_record_key = col(DeadLetter.record_key)
_letter = col(DeadLetter.user_id), col(DeadLetter.id)
_letters_by_key = (
    select(*_letter)
    .where(
        # The condition on the length of a UUID as text matches the partial index.
        func.octet_length(_record_key) == literal_column("36"),
        _record_key == any_(bindparam("record_keys", type_=ARRAY(LargeBinary))),
    )
    .limit(bindparam("limit", type_=Integer))
)
_OWN_TABLES = (
    _erase(
        ForwardedEvent,
        col(ForwardedEvent.user_id),
        col(ForwardedEvent.id),
        user=col(ForwardedEvent.user_id),
    ),
    _erase(OutboxRecord, col(OutboxRecord.user_id), col(OutboxRecord.id), user=col(OutboxRecord.user_id)),
    _erase(RefusedRecord, col(RefusedRecord.user_id), col(RefusedRecord.id), user=col(RefusedRecord.user_id)),
    _erase(FeedEntry, col(FeedEntry.user_id), col(FeedEntry.sequence), user=col(FeedEntry.user_id)),
    _erase(
        IdempotencyRecord,
        col(IdempotencyRecord.user_id),
        col(IdempotencyRecord.endpoint),
        col(IdempotencyRecord.key),
        user=col(IdempotencyRecord.user_id),
    ),
    _erase(
        InboxEntry,
        col(InboxEntry.subject_id),
        col(InboxEntry.source),
        col(InboxEntry.event_id),
        user=col(InboxEntry.subject_id),
    ),
    # The audit keeps the command and its actor, and none of the user's data.
    _blank(
        and_(
            col(AuditRecord.user_hash) == bindparam("user_hash", type_=LargeBinary),
            col(AuditRecord.user_id).is_not(None),
        ),
        user_id=None,
        target={},
        reason=None,
        before=None,
        after=None,
        ticket=None,
    ),
    _blank(col(AuditRecord.actor_id) == _USER, actor_id=None),
    _erase(
        DeferredRecord,
        col(DeferredRecord.subject_id),
        col(DeferredRecord.id),
        user=col(DeferredRecord.subject_id),
    ),
    _erase(DeadLetter, *_letter, user=col(DeadLetter.user_id)),
    # Dead letters that name the user only in their key are deleted too.
    Statement(delete(DeadLetter).where(tuple_(*_letter).in_(_letters_by_key))),
)
_FORGET = Statement(
    delete(UserStream).where(
        col(UserStream.user_id) == _USER, col(UserStream.erased_at) < bindparam("before", type_=DateTime(timezone=True))
    )
)


@dataclass(slots=True)
class _Round:
    """One run over all users."""

    away: DependencyUnavailable | None = None
    """The reason why no objects are deleted in the rest of this run; None while the object store works."""
    is_restored: bool = False
    """Whether the store was not compared with a restored database yet. Until then no job deletes what was uploaded for
    the user's reservations, under keys without the user's id, so the tombstone stays.
    """


class AccountErasure:
    """Erases users whose account was deleted. ``erasing`` has the parts of the domains in their order; ``streams``
    computes the keyed hash that remains.
    """

    def __init__(
        self,
        acquire: Acquire,
        streams: UserStreams,
        erasing: Sequence[Erasing],
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._streams = streams
        self._before = [one.before for one in erasing if one.before]
        self._rows = [erase for one in erasing for erase in one.rows]
        self._objects = [one.objects for one in erasing if one.objects]
        self._clock = clock
        self._isolation = Isolation[UUID]("erasure", metrics)
        self._empty: set[UUID] = set()
        """Users without remaining data. Their tombstone is deleted after another check, once it is old enough."""

    async def run_once(self) -> None:
        """Erases everything that can be erased now, a few parts of each user in turn, so that neither a user with much
        data nor one who can't be erased delays the others.

        Raises DependencyUnavailable at the end if objects could not be deleted; these tombstones stay until they are.
        """
        round_, erased = _Round(), set[UUID]()
        after = (_BEGINNING, UUID(int=0))
        while True:
            async with self._acquire() as connection:
                page = await _ERASED_USERS.all(connection, after_time=after[0], after_user=after[1], limit=_PAGE)
                if page:
                    round_.is_restored = await open_restore(connection) is not None
            erased.update(user["user_id"] for user in page)
            users = [user["user_id"] for user in page if self._is_due(user["user_id"], user["erased_at"], round_)]
            while users:
                users = [user_id for user_id in users if await self._erase(user_id, round_)]
            if len(page) < _PAGE:
                break
            after = (page[-1]["erased_at"], page[-1]["user_id"])
        self._empty &= erased
        if round_.away:
            raise round_.away

    def _is_due(self, user_id: UUID, erased_at: datetime, round_: "_Round") -> bool:
        is_kept = round_.is_restored or erased_at >= self._clock() - KEPT_FOR
        is_waiting = user_id in self._empty and is_kept
        return not is_waiting and self._isolation.is_due(user_id)

    async def _erase(self, user_id: UUID, round_: "_Round") -> bool:
        """Erases some parts of a user; returns whether more can be erased in this run."""
        try:
            with self._isolation.attempt(user_id):
                for _ in range(_PARTS_IN_TURN):
                    # Repeated before each part: another user may have made a link with the account meanwhile.
                    is_alone = all([await before(user_id) for before in self._before])
                    if not await self._erase_part(user_id, round_, is_alone):
                        return False
                return True
        except DependencyUnavailable as error:
            round_.away = error  # no other user tries the object store in this round
        return False

    async def _erase_part(self, user_id: UUID, round_: "_Round", is_alone: bool) -> bool:
        """Deletes a part; returns False if nothing is left to do for now. The tombstone stays as long as links do."""
        async with self._acquire() as connection, connection.transaction():
            await hardly_wait(connection)
            if await _TAKE.first(connection, user_id=user_id) is None:
                return False  # another instance erases this user, or has erased it
            for erase in self._rows:
                if await erase(connection, user_id, _CHUNK):
                    return True
            user_hash = self._streams.hash(user_id)
            values = {"user_id": user_id, "user_hash": user_hash, "record_keys": _keys_of(user_id), "limit": _CHUNK}
            for statement in _OWN_TABLES:
                if await statement.run(connection, **values):
                    return True
            # Objects come last, so that an unavailable store delays nothing else. Their keys begin with the user's id,
            # which the tombstone still has.
            if round_.away is not None:
                return False
            for erase in self._objects:
                if await erase(connection, user_id, _CHUNK):
                    return True
            if not is_alone:
                return False
            if len(self._empty) < _MOST_EMPTY:
                self._empty.add(user_id)
            if not round_.is_restored:
                await _FORGET.run(connection, user_id=user_id, before=self._clock() - KEPT_FOR)
        return False


def _keys_of(user_id: UUID) -> list[bytes]:
    """Returns a user's id in the forms that record keys have."""
    text = str(user_id)
    return [text.encode(), text.upper().encode()]
