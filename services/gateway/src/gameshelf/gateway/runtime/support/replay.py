"""Replays dead letters: moves them from their table into the outbox, with one statement per part.

Letters don't pass through this process. Key and value stay unchanged, and the row is deleted in the same commit; a
letter that still can't be applied comes back as a new one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from gameshelf.gateway.runtime.outbox.store import SHARDS
from gameshelf.gateway.runtime.support.dead_letters import (
    SHAPES,
    D,
    LetterFilter,
    Place,
    Scanned,
    can_replay,
    looked_at,
    next_place,
    part_of,
    picked,
    scanned,
    shape_of,
)
from gameshelf.gateway.runtime.tables import NOBODY, DeadLetter, OutboxRecord, UserStream
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.errors import DomainError
from gameshelf.kernel.row_reader import RowReader
from sqlalchemy import SmallInteger, case, cast, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


class UnknownRevision(DomainError):
    """This is not the revision of a dry run. Run the dry run again."""

    code = "PRECONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a part: the numbers of letters sent and not sent, and where the next part begins."""

    sent: int
    left: int
    next: Place | None


# The topic of a letter is one that the service consumes, so it is not a bulk topic. Nobody is in shard 0.
_shard_of_user = func.mod(func.get_byte(func.uuid_send(col(D.user_id)), 15), SHARDS)
_key = case((col(D.record_key).is_not(None), func.convert_from(col(D.record_key), "UTF8")))


def _replay(of_user: bool, of_id: bool) -> Statement:
    window = looked_at(of_user, of_id)
    found = picked(window)
    # It waits for no lock, which rules out deadlocks: letters and users that are locked are skipped.
    letter = tuple_(col(D.user_id), col(D.id))
    chosen = (
        select(col(D.user_id), col(D.id))
        .where(letter.in_(select(found.c.user_id, found.c.id)), can_replay(of_id))
        .with_for_update(skip_locked=True)
        .cte("chosen")
        .prefix_with("MATERIALIZED")
    )
    # A concurrent erasure is either seen here, or finds the records in the outbox.
    alive = (
        select(col(UserStream.user_id))
        .where(col(UserStream.user_id).in_(select(chosen.c.user_id)), col(UserStream.erased_at).is_(None))
        .with_for_update(read=True, skip_locked=True)
        .cte("alive")
        .prefix_with("MATERIALIZED")
    )
    may_go = or_(chosen.c.user_id == NOBODY, chosen.c.user_id.in_(select(alive.c.user_id)))
    shard = cast(_shard_of_user, SmallInteger)
    gone = (
        delete(DeadLetter)
        .where(letter.in_(select(chosen.c.user_id, chosen.c.id).where(may_go)))
        .returning(
            shard.label("shard"),
            col(D.user_id),
            col(D.topic),
            _key.label("record_key"),
            col(D.value),
            col(D.created_at),
            col(D.id),
        )
        .cte("gone")
    )
    columns = ("shard", "user_id", "topic", "record_key", "value")
    sent = (
        insert(OutboxRecord)
        .from_select(
            columns,
            select(*(gone.c[name] for name in columns)).order_by(gone.c.created_at, gone.c.id),
            include_defaults=False,
        )
        .returning(col(OutboxRecord.id))
        .cte("sent")
    )
    return Statement(
        select(
            *scanned(window, "looked_"),
            *scanned(found, "found_"),
            select(func.count()).select_from(sent).scalar_subquery().label("sent"),
        )
    )


_REPLAY = {shape: _replay(*shape) for shape in SHAPES}
_LOOKED, _FOUND = (RowReader(Scanned, *_REPLAY.values(), prefix=prefix) for prefix in ("looked_", "found_"))


async def replay_letters(connection: Connection, of: LetterFilter, after: Place, limit: int) -> Replayed:
    """Moves at most ``limit`` letters after a place into the outbox, in the caller's transaction. One round trip.

    Not sent are letters that can't be sent unchanged, those of erased accounts, and those that are locked.
    """
    part = part_of(of, after, limit)
    row = await _REPLAY[shape_of(of)].first(connection, **part)
    assert row is not None
    found, sent = _FOUND.read(row), row["sent"]
    return Replayed(sent, found.count - sent, next_place(found, _LOOKED.read(row), part))


def revision_of(moment: datetime) -> str:
    """Returns the revision of a dry run: its time. Later letters are not replayed."""
    return moment.isoformat()


def moment_of(revision: str | None) -> datetime:
    """Parses the time of a revision. Raises UnknownRevision."""
    try:
        moment = datetime.fromisoformat(revision or "")
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UnknownRevision(revision=revision)
