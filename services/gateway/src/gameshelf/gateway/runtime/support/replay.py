"""Replays dead letters: moves them from their table into the outbox, with one statement per part, or per user.

Letters don't pass through this process. Key and value stay unchanged, and the row is deleted in the same commit; a
letter that still can't be applied comes back as a new one.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.gateway.runtime.distributed import is_distributed
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
from gameshelf.kernel.sql import array, user
from sqlalchemy import (
    CTE,
    ColumnElement,
    SmallInteger,
    Uuid,
    any_,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)
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
_LETTER = tuple_(col(D.user_id), col(D.id))


def _replay(of_user: bool, of_id: bool) -> Statement:
    window = looked_at(of_user, of_id)
    found = picked(window)
    # It waits for no lock, which rules out deadlocks: letters and users that are locked are skipped.
    chosen = _chosen(_LETTER.in_(select(found.c.user_id, found.c.id)), can_replay(of_id))
    sent = _sent(chosen, _alive(col(UserStream.user_id).in_(select(chosen.c.user_id))))
    return Statement(
        select(
            *scanned(window, "looked_"),
            *scanned(found, "found_"),
            select(func.count()).select_from(sent).scalar_subquery().label("sent"),
        )
    )


def _chosen(*which: ColumnElement[bool]) -> CTE:
    found = select(col(D.user_id), col(D.id)).where(*which)
    return found.with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED")


def _alive(whose: ColumnElement[bool]) -> CTE:
    # A concurrent erasure is either seen here, or finds the records in the outbox.
    found = select(col(UserStream.user_id)).where(whose, col(UserStream.erased_at).is_(None))
    return found.with_for_update(read=True, skip_locked=True).cte("alive").prefix_with("MATERIALIZED")


def _sent(chosen: CTE, alive: CTE, *whose: ColumnElement[bool]) -> CTE:
    may_go = or_(chosen.c.user_id == NOBODY, chosen.c.user_id.in_(select(alive.c.user_id)))
    shard = cast(_shard_of_user, SmallInteger)
    gone = (
        delete(DeadLetter)
        .where(*whose, _LETTER.in_(select(chosen.c.user_id, chosen.c.id).where(may_go)))
        .returning(
            shard.label("shard"),
            col(D.user_id),
            col(D.topic),
            col(D.record_key),
            col(D.value),
            col(D.created_at),
            col(D.id),
        )
        .cte("gone")
    )
    columns = ("shard", "user_id", "topic", "record_key", "value")
    # Not above: the server's encoding makes the function one that Citus refuses in RETURNING.
    key = case((gone.c.record_key.is_not(None), func.convert_from(gone.c.record_key, "UTF8")))
    values = {**gone.c, "record_key": key}
    return (
        insert(OutboxRecord)
        .from_select(
            columns,
            select(*(values[name] for name in columns)).order_by(gone.c.created_at, gone.c.id),
            include_defaults=False,
        )
        .returning(col(OutboxRecord.id))
        .cte("sent")
    )


def _pick(of_user: bool, of_id: bool) -> Statement:
    window = looked_at(of_user, of_id)
    found = picked(window)
    whole = select(*scanned(window, "looked_"), *scanned(found, "found_")).subquery("whole")
    return Statement(select(found.c.user_id, found.c.id, *whole.c).select_from(whole.outerjoin(found, literal(True))))


def _move(of_id: bool) -> Statement:
    chosen = _chosen(col(D.user_id) == user(), col(D.id) == any_(array("letter_ids", Uuid)), can_replay(of_id))
    sent = _sent(chosen, _alive(col(UserStream.user_id) == user()), col(D.user_id) == user())
    return Statement(select(func.count().label("sent")).select_from(sent))


_REPLAY = {shape: _replay(*shape) for shape in SHAPES}
# The forms for distributed tables: the letters are found first, and moved user by user.
_PICK = {shape: _pick(*shape) for shape in SHAPES}
_MOVE = {of_id: _move(of_id) for of_id in (False, True)}
_BOTH = (*_REPLAY.values(), *_PICK.values())
_LOOKED, _FOUND = (RowReader(Scanned, *_BOTH, prefix=prefix) for prefix in ("looked_", "found_"))


async def replay_letters(connection: Connection, of: LetterFilter, after: Place, limit: int) -> Replayed:
    """Moves at most ``limit`` letters after a place into the outbox, in the caller's transaction. One round trip, and
    where tables are distributed one for each user.

    Not sent are letters that can't be sent unchanged, those of erased accounts, and those that are locked.
    """
    part = part_of(of, after, limit)
    if is_distributed(connection):
        row, sent = await _replay_one_by_one(connection, shape_of(of), part)
    else:
        [row] = await _REPLAY[shape_of(of)].all(connection, **part)
        sent = row["sent"]
    found = _FOUND.read(row)
    return Replayed(sent, found.count - sent, next_place(found, _LOOKED.read(row), part))


async def _replay_one_by_one(
    connection: Connection, shape: tuple[bool, bool], part: Mapping[str, Any]
) -> tuple[Record, int]:
    rows = await _PICK[shape].all(connection, **part)
    letters: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        if row["id"] is not None:
            letters[row["user_id"]].append(row["id"])
    sent = 0
    for user_id, letter_ids in letters.items():
        moved = await _MOVE[shape[1]].first(connection, user_id=user_id, letter_ids=letter_ids)
        sent += moved["sent"] if moved else 0
    return rows[0], sent


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
