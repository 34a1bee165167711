"""The statements that keep refused attempts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.achievements._attempts.attempts import RefusedAttempts
from gameshelf.achievements._models import RefusedAttempt
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, RowErasure, rows, user
from sqlalchemy import BigInteger, Integer, String, bindparam, delete, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_REFUSED = 100
"""How many kinds of refused attempts are kept of a user: those with the newest attempts."""

_R = RefusedAttempt
_given = rows(
    "given",
    subject=("subjects", String),
    rule=("rules", String),
    source=("sources", String),
    attempts=("counts", BigInteger),
    first_at=("firsts", TIME),
    last_at=("lasts", TIME),
)
_insert = insert(RefusedAttempt).from_select(
    ["user_id", "subject", "rule", "source", "attempts", "first_at", "last_at"],
    select(
        user(),
        _given.c.subject,
        _given.c.rule,
        _given.c.source,
        _given.c.attempts,
        _given.c.first_at,
        _given.c.last_at,
    ),
    include_defaults=False,
)
_ADD = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "subject", "rule", "source"],
        set_={"attempts": col(_R.attempts) + _insert.excluded.attempts, "last_at": _insert.excluded.last_at},
    )
)
_oldest_kept = (
    select(col(_R.last_at))
    .where(col(_R.user_id) == user())
    .order_by(col(_R.last_at).desc())
    .limit(literal_column("1"))
    .offset(literal_column(str(MAX_REFUSED - 1)))
    .scalar_subquery()
)
_TRIM = Statement(delete(RefusedAttempt).where(col(_R.user_id) == user(), col(_R.last_at) < _oldest_kept))
_key = list(RefusedAttempt.__table__.primary_key.columns)  # type: ignore[attr-defined]
_expired = (
    select(*_key)
    .where(col(_R.last_at) < bindparam("before", type_=TIME))
    .order_by(col(_R.last_at))
    .limit(bindparam("limit", type_=Integer))
)
_PRUNE = Statement(delete(RefusedAttempt).where(tuple_(*_key).in_(_expired)))


ERASURE = RowErasure((RefusedAttempt,))


class RefusedAttemptStore:
    """Refused attempts over one connection, inside a transaction that has serialised the user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, user_id: UUID, refused: Sequence[RefusedAttempts]) -> None:
        """Adds attempts, each kind at most once, and deletes those with the oldest ones above ``MAX_REFUSED``. Two
        round trips.
        """
        await _ADD.run(
            self._connection,
            user_id=user_id,
            subjects=[one.subject for one in refused],
            rules=[one.rule for one in refused],
            sources=[one.source for one in refused],
            counts=[one.attempts for one in refused],
            firsts=[one.first_at for one in refused],
            lasts=[one.last_at for one in refused],
        )
        await _TRIM.run(self._connection, user_id=user_id)


async def prune_refused_attempts(connection: Connection, before: datetime, limit: int) -> int:
    """Deletes at most ``limit`` kinds of attempts whose last one was before a time; returns how many it deleted."""
    return await _PRUNE.run(connection, before=before, limit=limit)
