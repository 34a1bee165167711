"""Writing playtime: every statement that changes the schema, and the reads that a decision needs.

The caller has serialised the user, so what is read here cannot change before it is written. Heartbeats are the
exception: see ``liveness.py``.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, Erasure, array, rows, user
from gameshelf.playtime.models import (
    EndReason,
    PlaytimeAnomaly,
    PlaytimeCopyPart,
    PlaytimeCorrection,
    PlaytimeInterval,
    PlaytimeSession,
    PlaytimeSync,
    PlaytimeTotal,
)
from gameshelf.playtime.ports import Copy
from gameshelf.playtime.rules import Interval
from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

ERASURE = Erasure(
    (
        PlaytimeSession,
        PlaytimeCopyPart,
        PlaytimeInterval,
        PlaytimeTotal,
        PlaytimeCorrection,
        PlaytimeAnomaly,
        PlaytimeSync,
    )
)

_S, _I, _T = PlaytimeSession, PlaytimeInterval, PlaytimeTotal


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session of the ledger; it runs while ``end_time`` is None."""

    id: UUID
    product_id: UUID
    device_id: str
    platform: str | None
    start_time: datetime
    end_time: datetime | None
    duration_seconds: int | None
    end_reason: str | None
    last_heartbeat_at: datetime
    client_session_id: str | None
    seat_number: int | None = None
    copy_owner_user_id: UUID | None = None
    """Whose copy is played; None: the user's own."""


def new_session(
    session_id: UUID, product_id: UUID, device_id: str, platform: str | None, start_time: datetime, copy: Copy
) -> StoredSession:
    """A session that begins."""
    return StoredSession(
        session_id,
        product_id,
        device_id,
        platform,
        start_time,
        None,
        None,
        None,
        start_time,
        None,
        copy.seat_number,
        copy.owner_user_id,
    )


@dataclass(frozen=True, slots=True)
class Total:
    """What a product's ledger adds up to, corrections included."""

    seconds: int
    last_played_at: datetime | None


@dataclass(frozen=True, slots=True)
class Played:
    """What is added to a product's total."""

    sessions: int = 0
    seconds: int = 0
    corrected_seconds: int = 0
    last_played_at: datetime | None = None


SESSION_COLUMNS = tuple(
    col(getattr(_S, name))
    for name in (
        "id",
        "product_id",
        "device_id",
        "platform",
        "start_time",
        "end_time",
        "duration_seconds",
        "end_reason",
        "last_heartbeat_at",
        "client_session_id",
        "seat_number",
        "copy_owner_user_id",
    )
)
_OF_USER = col(_S.user_id) == user()
_ID = col(_S.id) == bindparam("session_id", type_=Uuid)

_FIND = Statement(select(*SESSION_COLUMNS).where(_OF_USER, _ID))
_RUNNING = Statement(
    select(*SESSION_COLUMNS).where(
        _OF_USER,
        col(_S.product_id) == bindparam("product_id", type_=Uuid),
        col(_S.device_id) == bindparam("device_id", type_=String),
        col(_S.end_time).is_(None),
    )
)
_RUNNING_OF_PRODUCTS = Statement(
    select(*SESSION_COLUMNS)
    .where(_OF_USER, col(_S.product_id) == any_(array("product_ids", Uuid)), col(_S.end_time).is_(None))
    .order_by(col(_S.id))
)
_START = Statement(
    insert(PlaytimeSession).values(
        user_id=user(),
        id=bindparam("session_id", type_=Uuid),
        product_id=bindparam("product_id", type_=Uuid),
        device_id=bindparam("device_id", type_=String),
        platform=bindparam("platform", type_=String),
        start_time=bindparam("start_time", type_=TIME),
        last_heartbeat_at=bindparam("start_time", type_=TIME),
        seat_number=bindparam("seat_number", type_=BigInteger),
        copy_owner_user_id=bindparam("copy_owner_id", type_=Uuid),
    )
)
_END = Statement(
    update(PlaytimeSession)
    .where(_OF_USER, _ID, col(_S.end_time).is_(None))
    .values(
        end_time=bindparam("ended_at", type_=TIME),
        duration_seconds=bindparam("seconds", type_=Integer),
        end_reason=bindparam("reason", type_=String),
    )
)
# A session that is taken for dead may have shown a sign of life just now: then it goes on.
_END_DEAD = Statement(
    update(PlaytimeSession)
    .where(
        _OF_USER,
        _ID,
        col(_S.end_time).is_(None),
        col(_S.last_heartbeat_at) <= bindparam("not_after", type_=TIME),
    )
    .values(
        end_time=bindparam("ended_at", type_=TIME),
        duration_seconds=bindparam("seconds", type_=Integer),
        end_reason=bindparam("reason", type_=String),
    )
)
_NOW = bindparam("now", type_=TIME)
_copy_since = func.coalesce(col(_S.copy_since), col(_S.start_time))
_left = (
    insert(PlaytimeCopyPart)
    .from_select(
        ["user_id", "session_id", "start_time", "end_time", "product_id", "copy_owner_user_id", "seat_number"],
        select(
            user(), col(_S.id), _copy_since, _NOW, col(_S.product_id), col(_S.copy_owner_user_id), col(_S.seat_number)
        ).where(_OF_USER, _ID, col(_S.end_time).is_(None), _copy_since < _NOW),
        include_defaults=False,
    )
    .cte("left_copy")
)
_CHANGE_COPY = Statement(
    update(PlaytimeSession)
    .where(_OF_USER, _ID, col(_S.end_time).is_(None))
    .values(
        copy_owner_user_id=bindparam("new_owner_id", type_=Uuid),
        seat_number=bindparam("new_seat_number", type_=BigInteger),
        copy_since=func.greatest(_copy_since, _NOW),
    )
    .add_cte(_left)
)
_told = rows("told", device_id=("device_ids", String), client_session_id=("client_ids", String))
_IMPORTED = Statement(
    select(*SESSION_COLUMNS)
    .select_from(_told)
    .join(
        PlaytimeSession,
        and_(
            _OF_USER,
            col(_S.client_session_id) == _told.c.client_session_id,
            col(_S.device_id) == _told.c.device_id,
        ),
    )
)
_new = rows(
    "new",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    device_id=("device_ids", String),
    platform=("platforms", String),
    start_time=("starts", TIME),
    end_time=("ends", TIME),
    duration_seconds=("durations", Integer),
    client_session_id=("client_ids", String),
    copy_owner_user_id=("copy_owner_ids", Uuid),
)
_IMPORT = Statement(
    insert(PlaytimeSession).from_select(
        [
            "user_id",
            "id",
            "product_id",
            "device_id",
            "platform",
            "start_time",
            "end_time",
            "duration_seconds",
            "client_session_id",
            "copy_owner_user_id",
            "last_heartbeat_at",
            "end_reason",
        ],
        select(user(), *_new.c, _new.c.end_time, bindparam("reason", type_=String)),
        include_defaults=False,
    )
)

# Of the intervals that begin before a span only the newest can reach into it, since a union's don't overlap. From there
# the primary key is read, however long the history is.
_span = rows("span", product_id=("product_ids", Uuid), low=("lows", TIME), high=("highs", TIME))
_before = aliased(PlaytimeInterval)
_newest_before = (
    select(func.max(col(_before.start_time)))
    .where(
        col(_before.user_id) == user(),
        col(_before.product_id) == _span.c.product_id,
        col(_before.start_time) <= _span.c.low,
    )
    .scalar_subquery()
)
_TOUCHING = Statement(
    select(col(_I.product_id), col(_I.start_time), col(_I.end_time))
    .select_from(_span)
    .join(_I, and_(col(_I.user_id) == user(), col(_I.product_id) == _span.c.product_id))
    .where(
        col(_I.start_time) >= func.coalesce(_newest_before, _span.c.low),
        col(_I.start_time) <= _span.c.high,
        col(_I.end_time) >= _span.c.low,
    )
    .order_by(col(_I.product_id), col(_I.start_time))
)
_gone = rows("gone", product_id=("product_ids", Uuid), start_time=("starts", TIME))
_DROP_INTERVALS = Statement(
    delete(PlaytimeInterval).where(
        col(_I.user_id) == user(),
        tuple_(col(_I.product_id), col(_I.start_time)).in_(select(_gone.c.product_id, _gone.c.start_time)),
    )
)
_come = rows("come", product_id=("product_ids", Uuid), start_time=("starts", TIME), end_time=("ends", TIME))
_ADD_INTERVALS = Statement(
    insert(PlaytimeInterval).from_select(
        ["user_id", "product_id", "start_time", "end_time"], select(user(), *_come.c), include_defaults=False
    )
)

_played = rows(
    "played",
    product_id=("product_ids", Uuid),
    played_seconds=("seconds", BigInteger),
    corrected_seconds=("corrections", BigInteger),
    session_count=("counts", Integer),
    last_played_at=("last_played", TIME),
)
_insert_totals = insert(PlaytimeTotal).from_select(
    ["user_id", "product_id", "played_seconds", "corrected_seconds", "session_count", "last_played_at"],
    select(user(), *_played.c),
    include_defaults=False,
)
_ADD_TO_TOTALS = Statement(
    _insert_totals.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={
            "played_seconds": col(_T.played_seconds) + _insert_totals.excluded.played_seconds,
            "corrected_seconds": col(_T.corrected_seconds) + _insert_totals.excluded.corrected_seconds,
            "session_count": col(_T.session_count) + _insert_totals.excluded.session_count,
            "last_played_at": func.greatest(col(_T.last_played_at), _insert_totals.excluded.last_played_at),
        },
    ).returning(
        col(_T.product_id),
        (col(_T.played_seconds) + col(_T.corrected_seconds)).label("seconds"),
        col(_T.last_played_at),
    )
)

_CORRECT = Statement(
    insert(PlaytimeCorrection).values(
        user_id=user(),
        id=bindparam("correction_id", type_=Uuid),
        product_id=bindparam("product_id", type_=Uuid),
        seconds=bindparam("seconds", type_=BigInteger),
        reason=bindparam("reason", type_=Text),
    )
)


class SessionStore:
    """The ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID, session_id: UUID) -> StoredSession | None:
        """A session of the user."""
        row = await _FIND.first(self._connection, user_id=user_id, session_id=session_id)
        return StoredSession(*row.values()) if row else None

    async def running(self, user_id: UUID, product_id: UUID, device_id: str) -> StoredSession | None:
        """The session that runs on a device."""
        row = await _RUNNING.first(self._connection, user_id=user_id, product_id=product_id, device_id=device_id)
        return StoredSession(*row.values()) if row else None

    async def running_of_products(self, user_id: UUID, product_ids: Collection[UUID]) -> list[StoredSession]:
        """The sessions of these products that run, on whatever devices."""
        rows = await _RUNNING_OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        return [StoredSession(*row.values()) for row in rows]

    async def start(self, user_id: UUID, session: StoredSession) -> None:
        """Writes a session that begins."""
        await _START.run(
            self._connection,
            user_id=user_id,
            session_id=session.id,
            product_id=session.product_id,
            device_id=session.device_id,
            platform=session.platform,
            start_time=session.start_time,
            seat_number=session.seat_number,
            copy_owner_id=session.copy_owner_user_id,
        )

    async def end(
        self, user_id: UUID, session_id: UUID, ended: Interval, reason: str, not_after: datetime | None
    ) -> bool:
        """Ends a running session; False when it has ended, or has a sign of life later than ``not_after``."""
        statement = _END if not_after is None else _END_DEAD
        values = {"not_after": not_after} if not_after is not None else {}
        return (
            await statement.run(
                self._connection,
                user_id=user_id,
                session_id=session_id,
                ended_at=ended.end,
                seconds=ended.seconds,
                reason=reason,
                **values,
            )
            == 1
        )

    async def imported(self, user_id: UUID, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], StoredSession]:
        """Of these pairs of a device and its own id of a session those that were imported before."""
        unique = sorted(set(keys))
        found = await _IMPORTED.all(
            self._connection,
            user_id=user_id,
            device_ids=[device_id for device_id, _ in unique],
            client_ids=[client_id for _, client_id in unique],
        )
        return {(row["device_id"], row["client_session_id"]): StoredSession(*row.values()) for row in found}

    async def change_copy(self, user_id: UUID, session_id: UUID, copy: Copy, now: datetime) -> None:
        """A running session goes on on another copy; what it played until ``now`` (a whole second) stays known."""
        await _CHANGE_COPY.run(
            self._connection,
            user_id=user_id,
            session_id=session_id,
            new_owner_id=copy.owner_user_id,
            new_seat_number=copy.seat_number,
            now=now,
        )

    async def add_imported(self, user_id: UUID, sessions: Sequence[StoredSession]) -> None:
        """Writes sessions that have ended long since."""
        await _IMPORT.run(
            self._connection,
            user_id=user_id,
            ids=[session.id for session in sessions],
            product_ids=[session.product_id for session in sessions],
            device_ids=[session.device_id for session in sessions],
            platforms=[session.platform for session in sessions],
            starts=[session.start_time for session in sessions],
            ends=[session.end_time for session in sessions],
            durations=[session.duration_seconds for session in sessions],
            client_ids=[session.client_session_id for session in sessions],
            copy_owner_ids=[session.copy_owner_user_id for session in sessions],
            reason=EndReason.IMPORTED,
        )


class TotalStore:
    """What the ledger adds up to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def touching(self, user_id: UUID, spans: Mapping[UUID, Interval]) -> dict[UUID, list[Interval]]:
        """By product the intervals of its union that overlap a span or touch it."""
        rows = await _TOUCHING.all(
            self._connection,
            user_id=user_id,
            product_ids=list(spans),
            lows=[span.start for span in spans.values()],
            highs=[span.end for span in spans.values()],
        )
        found: dict[UUID, list[Interval]] = defaultdict(list)
        for row in rows:
            found[row["product_id"]].append(Interval(row["start_time"], row["end_time"]))
        return found

    async def replace(
        self, user_id: UUID, gone: Sequence[tuple[UUID, Interval]], come: Sequence[tuple[UUID, Interval]]
    ) -> None:
        """Takes intervals out of unions and puts others in."""
        if gone:
            await _DROP_INTERVALS.run(
                self._connection,
                user_id=user_id,
                product_ids=[product_id for product_id, _ in gone],
                starts=[interval.start for _, interval in gone],
            )
        if come:
            await _ADD_INTERVALS.run(
                self._connection,
                user_id=user_id,
                product_ids=[product_id for product_id, _ in come],
                starts=[interval.start for _, interval in come],
                ends=[interval.end for _, interval in come],
            )

    async def add(self, user_id: UUID, played: Mapping[UUID, Played]) -> dict[UUID, Total]:
        """Adds to the products' totals; what they are now."""
        rows = await _ADD_TO_TOTALS.all(
            self._connection,
            user_id=user_id,
            product_ids=list(played),
            seconds=[one.seconds for one in played.values()],
            corrections=[one.corrected_seconds for one in played.values()],
            counts=[one.sessions for one in played.values()],
            last_played=[one.last_played_at for one in played.values()],
        )
        return {row["product_id"]: Total(row["seconds"], row["last_played_at"]) for row in rows}

    async def add_correction(
        self, user_id: UUID, correction_id: UUID, product_id: UUID, seconds: int, reason: str
    ) -> None:
        await _CORRECT.run(
            self._connection,
            user_id=user_id,
            correction_id=correction_id,
            product_id=product_id,
            seconds=seconds,
            reason=reason,
        )
