"""The progress of the recount of all counters. It is stored, so that the next run resumes where the last one stopped.

A product is counted in one snapshot and corrected afterwards, in the transaction that moves the cursor from where that
snapshot saw it. A process that has counted the same product meanwhile finds the cursor moved, and corrects nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.achievements._models import RarityDelta, RarityRecountState
from gameshelf.achievements._store.counters import FOLD_LOCK, CounterDifference
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows
from sqlalchemy import BigInteger, Integer, Uuid, bindparam, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

RECOUNT_LOCK = FOLD_LOCK + 1
"""The advisory lock of a transaction that counts a product. A process that does not get it skips its turn."""

_ONE = 1
_R = RarityRecountState
_NOW = bindparam("now", type_=TIME)
_BEGINNING = UUID(int=0)

_KNOWN = Statement(select(col(_R.cursor), col(_R.started_at), col(_R.finished_at)).where(col(_R.id) == _ONE))
_CREATE = Statement(
    insert(_R).values(id=_ONE, cursor=_BEGINNING, started_at=_NOW, finished_at=_NOW).on_conflict_do_nothing()
)
_SEEN = (
    col(_R.id) == _ONE,
    col(_R.cursor) == bindparam("seen_cursor", type_=Uuid),
    col(_R.started_at) == bindparam("seen_started_at", type_=TIME),
)
_START = Statement(
    update(_R)
    .values(cursor=_BEGINNING, started_at=_NOW, finished_at=None)
    .where(*_SEEN, col(_R.finished_at).is_not(None))
)
_MOVE = Statement(
    update(_R).values(cursor=bindparam("new_cursor", type_=Uuid)).where(*_SEEN, col(_R.finished_at).is_(None))
)
_FINISH = Statement(update(_R).values(finished_at=_NOW).where(*_SEEN, col(_R.finished_at).is_(None)))
_TAKE_TURN = Statement(select(func.pg_try_advisory_xact_lock(literal(RECOUNT_LOCK, BigInteger)).label("taken")))
_off = rows(
    "off", product_id=("product_ids", Uuid), achievement_meta_id=("achievement_ids", Uuid), delta=("deltas", Integer)
)
_REPAIR = Statement(
    insert(RarityDelta).from_select(
        ["product_id", "achievement_meta_id", "delta"], select(*_off.c), include_defaults=False
    )
)


@dataclass(frozen=True, slots=True)
class RecountProgress:
    """The progress of the recount that runs (``finished_at`` is None), or of the last one."""

    cursor: UUID
    """The last product that was counted."""
    started_at: datetime
    finished_at: datetime | None


_PROGRESS = RowReader(RecountProgress, _KNOWN)


class RarityRecounts:
    """The progress of recounts over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take_turn(self) -> bool:
        """Returns whether this transaction may count: no other one does until it ends."""
        row = await _TAKE_TURN.first(self._connection)
        return bool(row and row["taken"])

    async def progress(self, now: datetime) -> RecountProgress:
        """Returns the progress. Where there has been no recount, the last one counts as finished now."""
        row = await _KNOWN.first(self._connection)
        if row is None:
            await _CREATE.run(self._connection, now=now)
            row = await _KNOWN.first(self._connection)
        return _PROGRESS.read(row) if row else RecountProgress(_BEGINNING, now, now)

    async def start(self, last: RecountProgress, now: datetime) -> bool:
        """Begins a recount after the last one. Returns False where another process has begun it."""
        return await _START.run(self._connection, **_seen(last), now=now) == 1

    async def move(self, seen: RecountProgress, product_id: UUID, differences: Sequence[CounterDifference]) -> bool:
        """Moves the cursor to the product and corrects its wrong counters, in the running transaction.

        The corrections are deltas, which stay right whatever has been written since the count. Returns False and
        changes nothing where another process has moved the cursor.
        """
        if await _MOVE.run(self._connection, **_seen(seen), new_cursor=product_id) != 1:
            return False
        if differences:
            await _REPAIR.run(
                self._connection,
                product_ids=[one.product_id for one in differences],
                achievement_ids=[one.achievement_id for one in differences],
                deltas=[one.counted - one.kept for one in differences],
            )
        return True

    async def finish(self, seen: RecountProgress, now: datetime) -> None:
        """Ends the recount: there are no more products."""
        await _FINISH.run(self._connection, **_seen(seen), now=now)


def _seen(progress: RecountProgress) -> dict[str, object]:
    return {"seen_cursor": progress.cursor, "seen_started_at": progress.started_at}
