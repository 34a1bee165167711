"""Detects that another database has replaced this one: a base backup, a point-in-time recovery, or a standby.

Such a database may lack committed data. ``libctl backup restore`` marks the databases that it restores; the others have
to be marked by ``libctl backup mark-restored``. Until then jobs that delete do nothing. A replacement is detected by
comparison with a row of the database itself (another cluster or timeline), and with a note in Redis and in this process
(also a lower position in the WAL, as after the start of an old copy).
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
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from gameshelf.gateway.runtime.tables import DatabaseIdentity, RestoreRecord
from gameshelf.kernel.database import Statement
from redis.asyncio import Redis
from sqlalchemy import BigInteger, String, bindparam, case, cast, func, literal, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_log = logging.getLogger(__name__)

_KEY = "gameshelf:database"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Witness:
    """Identifies the history of a database; ``position`` is in bytes of WAL, 0 if unknown.

    ``marked_at`` is the time when the newest restore was marked, as ISO 8601; empty if there was none.
    """

    system: str
    timeline: str
    position: int
    marked_at: str = ""

    @property
    def marked(self) -> datetime:
        return datetime.fromisoformat(self.marked_at) if self.marked_at else _NEVER


def difference(known: Witness | None, now: Witness) -> str | None:
    """Describes why ``now`` cannot be a continuation of ``known``; None if it can, or if it was marked since."""
    if known is None or now.marked > known.marked:
        return None
    if now.marked < known.marked:
        return "it lacks a restore that was marked before"
    if now.system != known.system:
        return f"its system identifier is {now.system}, and was {known.system}"
    if now.timeline != known.timeline:
        return f"its timeline is {now.timeline}, and was {known.timeline}"
    if now.position < known.position:
        return "its write-ahead log is at an earlier position"
    return None


def newest(known: Witness | None, now: Witness) -> Witness:
    """Returns the witness to compare with next time. Instances check concurrently, so the position only increases."""
    return now if known is None or now.marked > known.marked or now.position > known.position else known


_position = func.pg_current_wal_flush_lsn().op("-")(text("'0/0'::pg_lsn"))
_NOW = Statement(
    select(
        cast(select(text("system_identifier")).select_from(func.pg_control_system()).scalar_subquery(), String).label(
            "system"
        ),
        # A standby has no write position of its own.
        case((func.pg_is_in_recovery(), None), else_=cast(_position, BigInteger)).label("position"),
        case(
            (func.pg_is_in_recovery(), None),
            else_=func.substr(func.pg_walfile_name(func.pg_current_wal_flush_lsn()), 1, 8),
        ).label("timeline"),
        select(func.max(col(RestoreRecord.restored_at))).scalar_subquery().label("marked_at"),
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
        set_={name: _made.excluded[name] for name in ("system", "timeline", "noted_at")},
    )
)


class ReplacedDatabase:
    """Checks whether the database is still the same."""

    def __init__(self, acquire: Acquire, redis: Redis, metrics: Metrics) -> None:
        self._acquire = acquire
        self._redis = redis
        self._metrics = metrics
        self._states = StateLog(_log)
        self._known: Witness | None = None
        self.reason: str | None = None
        """The reason why this is another database than before; None if it is the same."""

    async def look(self) -> None:
        """Checks the database: one round trip to it, two to Redis. Raises the errors of the database."""
        # The notes are read first: other instances check concurrently, and their notes may be newer than this read.
        shared, own = await self._shared(), self._known
        try:
            row = await self._read()
        except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
            # Some managed databases hide their identity. Then the operator has to remember to mark a replacement.
            self._states.begin("unknown", "the database hides its identity: a replacement is not detected")
            return
        if row["timeline"] is None:
            return  # a standby accepts no writes, so there is nothing to protect
        marked_at = row["marked_at"].isoformat() if row["marked_at"] else ""
        now = Witness(row["system"], row["timeline"], row["position"], marked_at)
        noted = self._noted(row, marked_at)
        found = [difference(known, now) for known in (noted, shared, own)]
        self.reason = next((reason for reason in found if reason), None)
        self._metrics.database_replaced.set(self.reason is not None)
        if self.reason:
            self._states.begin(
                "replaced",
                "another database replaced this one (%s): nothing is deleted until "
                "`libctl backup mark-restored --point TIME --apply`",
                self.reason,
            )
            return
        self._states.end("replaced", "the replacement of the database was marked: see gateway.restores")
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
        """Returns the witness in the database's own row, with the newest mark that existed when it was written."""
        if row["noted_system"] is None:
            return None
        was_marked = row["marked_at"] is not None and row["marked_at"] > row["noted_at"]
        return Witness(row["noted_system"], row["noted_timeline"], 0, "" if was_marked else marked_at)

    async def _shared(self) -> Witness | None:
        try:
            noted = await self._redis.get(_KEY)
            return Witness(**json.loads(noted)) if noted else None
        except (*REDIS_ERRORS, ValueError, TypeError):
            return None

    async def _share(self, witness: Witness) -> None:
        try:
            await self._redis.set(_KEY, json.dumps(asdict(witness)))
        except REDIS_ERRORS:
            return  # the note of this process is enough meanwhile
