"""Notices that another database has taken this one's place: a base backup, WAL replayed to a moment, a standby.

Such a database may lack what was committed, and nobody has said so: ``libctl backup restore`` marks what it restores,
these are to be marked by ``libctl backup mark-restored``. Until then jobs that delete do nothing. It is noticed where
there is something to compare with: a row of the database's own (another cluster or timeline), and a note in Redis and
in this process (also a position of the WAL that went back, as it does when an old copy is simply started).
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.tables import DatabaseIdentity, Restore
from gameshelf.kernel.database import Statement
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import BigInteger, String, bindparam, case, cast, func, literal, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_log = logging.getLogger(__name__)

_KEY = "gameshelf:database"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Witness:
    """What tells one history of a database from another one; ``position`` is bytes of WAL, 0 where it isn't known.

    ``marked_at`` is when the newest restore was marked, as ISO 8601; empty: never.
    """

    system: str
    timeline: str
    position: int
    marked_at: str = ""

    @property
    def marked(self) -> datetime:
        return datetime.fromisoformat(self.marked_at) if self.marked_at else _NEVER


def difference(known: Witness | None, now: Witness) -> str | None:
    """Why ``now`` can't be what ``known`` has become, in words; None: it can, or it was marked since."""
    if known is None or now.marked > known.marked:
        return None
    if now.marked < known.marked:
        return "it does not know of a restore that was marked before"
    if now.system != known.system:
        return f"its system identifier is {now.system}, and was {known.system}"
    if now.timeline != known.timeline:
        return f"its timeline is {now.timeline}, and was {known.timeline}"
    if now.position < known.position:
        return "its write-ahead log went back"
    return None


def newest(known: Witness | None, now: Witness) -> Witness:
    """What to compare with next time. Instances look at the same time: a position is only ever moved forward."""
    return now if known is None or now.marked > known.marked or now.position > known.position else known


_position = func.pg_current_wal_flush_lsn().op("-")(text("'0/0'::pg_lsn"))
_NOW = Statement(
    select(
        cast(select(text("system_identifier")).select_from(func.pg_control_system()).scalar_subquery(), String).label(
            "system"
        ),
        # A standby has no position of its own to write at.
        case((func.pg_is_in_recovery(), None), else_=cast(_position, BigInteger)).label("position"),
        case(
            (func.pg_is_in_recovery(), None),
            else_=func.substr(func.pg_walfile_name(func.pg_current_wal_flush_lsn()), 1, 8),
        ).label("timeline"),
        select(func.max(col(Restore.restored_at))).scalar_subquery().label("marked_at"),
        col(DatabaseIdentity.system).label("noted_system"),
        col(DatabaseIdentity.timeline).label("noted_timeline"),
        col(DatabaseIdentity.noted_at),
    ).select_from(select(literal(1)).subquery("one").outerjoin(DatabaseIdentity, true()))
)
_made = insert(DatabaseIdentity).values(
    singleton=true(), system=bindparam("system", type_=String), timeline=bindparam("timeline", type_=String)
)
_NOTE = Statement(
    _made.on_conflict_do_update(
        index_elements=["singleton"],
        set_={"system": _made.excluded.system, "timeline": _made.excluded.timeline, "noted_at": func.now()},
    )
)


class ReplacedDatabase:
    """Watches which database this is."""

    def __init__(self, acquire: Acquire, redis: Redis, metrics: Metrics) -> None:
        self._acquire = acquire
        self._redis = redis
        self._metrics = metrics
        self._states = StateLog(_log)
        self._known: Witness | None = None
        self.reason: str | None = None
        """Why this is taken for another database than before; None: it isn't."""

    async def look(self) -> None:
        """Looks anew: one round trip to the database, two to Redis. Raises what the database raises."""
        # What is compared with comes first: others look at the same time, and what they note meanwhile is of later on.
        shared, own = await self._shared(), self._known
        try:
            row = await self._read()
        except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
            # Not every managed database tells. Then whoever replaces it has to think of it alone.
            self._states.begin("untold", "the database does not tell its identity: a replacement is not noticed")
            return
        if row["timeline"] is None:
            return  # a standby: it takes no writes, so there is nothing to protect
        marked_at = row["marked_at"].isoformat() if row["marked_at"] else ""
        now = Witness(row["system"], row["timeline"], row["position"], marked_at)
        noted = self._noted(row, marked_at)
        found = [difference(known, now) for known in (noted, shared, own)]
        self.reason = next((reason for reason in found if reason), None)
        self._metrics.database_replaced.set(self.reason is not None)
        if self.reason:
            self._states.begin(
                "replaced",
                "another database took this one's place (%s): nothing is deleted until "
                "`libctl backup mark-restored --point TIME --apply`",
                self.reason,
            )
            return
        self._states.end("replaced", "it was said what became of the database: see gateway.restores")
        self._known = newest(self._known, now)
        if noted is None or noted.marked_at != marked_at:
            async with self._acquire() as connection:
                await _NOTE.run(connection, system=now.system, timeline=now.timeline)
        await self._share(newest(shared, now))

    async def _read(self) -> Any:
        async with self._acquire() as connection:
            return await _NOW.first(connection)

    @staticmethod
    def _noted(row: Any, marked_at: str) -> Witness | None:
        """The database's own row, as old as the newest mark that was there when it was written."""
        if row["noted_system"] is None:
            return None
        was_marked = row["marked_at"] is not None and row["marked_at"] > row["noted_at"]
        return Witness(row["noted_system"], row["noted_timeline"], 0, "" if was_marked else marked_at)

    async def _shared(self) -> Witness | None:
        try:
            told = await self._redis.get(_KEY)
            return Witness(**json.loads(told)) if told else None
        except (RedisError, OSError, ValueError, TypeError):
            return None

    async def _share(self, witness: Witness) -> None:
        try:
            await self._redis.set(_KEY, json.dumps(asdict(witness)))
        except (RedisError, OSError):
            return  # what this process remembers is enough meanwhile
