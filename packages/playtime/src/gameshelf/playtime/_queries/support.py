"""Reads for support: the whole ledger, corrections, imports and anomalies.

Each list continues after the last entry of the part before, however long it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, user
from gameshelf.playtime._models import PlaytimeAnomaly, PlaytimeCorrection, PlaytimeSession
from gameshelf.playtime._queries.imports import ImportedPlay, largest_imports
from gameshelf.playtime._store.sessions import SESSION_COLUMNS, StoredSession
from sqlalchemy import Integer, String, Uuid, bindparam, or_, select, tuple_
from sqlmodel import col

_LATEST, _NOBODY = datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A session, and when the service recorded it: one that was played offline, when it was imported."""

    session: StoredSession
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """Seconds that support added to a product's total, or subtracted from it."""

    id: UUID
    product_id: UUID
    seconds: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FlaggedPlay:
    """An anomaly. ``subject`` is the day, or the time of the import and its device; ``seconds`` the amount of play."""

    detected_at: datetime
    user_id: UUID
    kind: str
    subject: str
    seconds: int

    @property
    def place(self) -> "AnomalyPlace":
        """The place in the list after this one."""
        return AnomalyPlace(self.detected_at, self.user_id, self.kind, self.subject)


class SessionPlace(NamedTuple):
    """A session after which the list continues."""

    start_time: datetime = _LATEST
    id: UUID = _NOBODY


class CorrectionPlace(NamedTuple):
    """A correction after which the list continues."""

    created_at: datetime = _LATEST
    id: UUID = _NOBODY


class AnomalyPlace(NamedTuple):
    """An anomaly after which the list continues."""

    detected_at: datetime = _LATEST
    user_id: UUID = _NOBODY
    kind: str = ""
    subject: str = ""


_S, _C, _A = PlaytimeSession, PlaytimeCorrection, PlaytimeAnomaly
_LIMIT = bindparam("limit", type_=Integer)
_PRODUCT, _KIND = bindparam("product_id", type_=Uuid), bindparam("kind", type_=String)
_SINCE, _UNTIL = bindparam("since", type_=TIME), bindparam("until", type_=TIME)
_AFTER, _AFTER_ID = bindparam("after", type_=TIME), bindparam("after_id", type_=Uuid)

# The ledger is read from ``until`` back to its beginning, so that a session of any length is found on each of its days.
_SESSIONS = Statement(
    select(*SESSION_COLUMNS, col(_S.created_at).label("recorded_at"))
    .where(
        col(_S.user_id) == user(),
        or_(_PRODUCT.is_(None), col(_S.product_id) == _PRODUCT),
        col(_S.start_time) < _UNTIL,
        col(_S.start_time) <= _AFTER,
        or_(col(_S.start_time) < _AFTER, col(_S.id) > _AFTER_ID),
        or_(_SINCE.is_(None), col(_S.end_time).is_(None), col(_S.end_time) > _SINCE, col(_S.start_time) >= _SINCE),
    )
    .order_by(col(_S.start_time).desc(), col(_S.id))
    .limit(_LIMIT)
)
_CORRECTIONS = Statement(
    select(col(_C.id), col(_C.product_id), col(_C.seconds), col(_C.reason), col(_C.created_at))
    .where(
        col(_C.user_id) == user(),
        or_(_PRODUCT.is_(None), col(_C.product_id) == _PRODUCT),
        tuple_(col(_C.created_at), col(_C.id)) < tuple_(_AFTER, _AFTER_ID),
    )
    .order_by(col(_C.created_at).desc(), col(_C.id).desc())
    .limit(_LIMIT)
)
_KEY = (col(_A.detected_at), col(_A.user_id), col(_A.kind), col(_A.subject))
_found = (
    select(*_KEY, col(_A.seconds))
    .where(
        or_(_KIND.is_(None), col(_A.kind) == _KIND),
        tuple_(*_KEY)
        < tuple_(_AFTER, _AFTER_ID, bindparam("after_kind", type_=String), bindparam("after_subject", type_=String)),
    )
    .order_by(*(column.desc() for column in _KEY))
    .limit(_LIMIT)
)
# Two statements, since one plan cannot be good for the whole list and for one user's part of it.
_ANOMALIES = Statement(_found)
_ANOMALIES_OF_USER = Statement(_found.where(col(_A.user_id) == user()))
_SESSION = RowReader(StoredSession, _SESSIONS, others=("recorded_at",))
_CORRECTION = RowReader(Correction, _CORRECTIONS)
_ANOMALY = RowReader(FlaggedPlay, _ANOMALIES, _ANOMALIES_OF_USER)


class PlaytimeSupportQueries:
    """Reads for support over one connection. Each method is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sessions(
        self,
        user_id: UUID,
        product_id: UUID | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: SessionPlace | None = None,
        limit: int = 100,
    ) -> Sequence[LedgerEntry]:
        """Sessions that touch the time from ``since`` to before ``until``, the newest first; also running ones."""
        place = after or SessionPlace()
        found = await _SESSIONS.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            since=since,
            until=until or _LATEST,
            after=place.start_time,
            after_id=place.id,
            limit=limit,
        )
        return [LedgerEntry(_SESSION.read(row), row["recorded_at"]) for row in found]

    async def imports(self, user_id: UUID, product_id: UUID, limit: int = 10) -> Sequence[ImportedPlay]:
        """The longest imports of a product, the longest first, and how much of its total is due to each."""
        return await largest_imports(self._connection, user_id, product_id, limit)

    async def corrections(
        self,
        user_id: UUID,
        product_id: UUID | None = None,
        *,
        after: CorrectionPlace | None = None,
        limit: int = 100,
    ) -> Sequence[Correction]:
        """Corrections by support, the newest first."""
        place = after or CorrectionPlace()
        found = await _CORRECTIONS.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            after=place.created_at,
            after_id=place.id,
            limit=limit,
        )
        return _CORRECTION.read_all(found)

    async def anomalies(
        self,
        user_id: UUID | None = None,
        kind: str | None = None,
        *,
        after: AnomalyPlace | None = None,
        limit: int = 100,
    ) -> Sequence[FlaggedPlay]:
        """Anomalies of one user or of all, the newest first."""
        place = after or AnomalyPlace()
        found = await (_ANOMALIES if user_id is None else _ANOMALIES_OF_USER).all(
            self._connection,
            user_id=user_id,
            kind=kind,
            after=place.detected_at,
            after_id=place.user_id,
            after_kind=place.kind,
            after_subject=place.subject,
            limit=limit,
        )
        return _ANOMALY.read_all(found)
