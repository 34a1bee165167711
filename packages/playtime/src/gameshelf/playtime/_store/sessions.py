"""Sessions: the ledger, and the parts of sessions that were played on another copy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime._models import EndReason, PlaytimeCopyPart, PlaytimeSession
from gameshelf.playtime._ports import PlayedCopy
from gameshelf.playtime._rules import Interval
from sqlalchemy import BigInteger, Integer, String, Uuid, and_, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_S = PlaytimeSession


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
    session_id: UUID, product_id: UUID, device_id: str, platform: str | None, start_time: datetime, copy: PlayedCopy
) -> StoredSession:
    """A session that starts now."""
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

_OF_ID = Statement(select(*SESSION_COLUMNS).where(_OF_USER, _ID))
_RUNNING_ON_DEVICE = Statement(
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
# A session that counts as dead may have shown a sign of life just now: then it continues.
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
_keys = rows("imported", device_id=("device_ids", String), client_session_id=("client_ids", String))
_IMPORTED = Statement(
    select(*SESSION_COLUMNS)
    .select_from(_keys)
    .join(
        PlaytimeSession,
        and_(
            _OF_USER,
            col(_S.client_session_id) == _keys.c.client_session_id,
            col(_S.device_id) == _keys.c.device_id,
        ),
    )
)
_SESSION = RowReader(StoredSession, _OF_ID, _RUNNING_ON_DEVICE, _RUNNING_OF_PRODUCTS, _IMPORTED)
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


def lookup_session(user_id: UUID, session_id: UUID) -> BoundStatement:
    """What ``SessionStore.session`` reads."""
    return _OF_ID.bind(user_id=user_id, session_id=session_id)


def lookup_running(user_id: UUID, product_id: UUID, device_id: str) -> BoundStatement:
    """What ``SessionStore.running_on_device`` reads."""
    return _RUNNING_ON_DEVICE.bind(user_id=user_id, product_id=product_id, device_id=device_id)


class SessionStore:
    """The ledger of one user, over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def session(self, user_id: UUID, session_id: UUID) -> StoredSession | None:
        """A session of the user; None where there is none of that id."""
        return _SESSION.read_optional(await _OF_ID.first(self._connection, user_id=user_id, session_id=session_id))

    async def running_on_device(self, user_id: UUID, product_id: UUID, device_id: str) -> StoredSession | None:
        """The session of a product that runs on a device."""
        row = await lookup_running(user_id, product_id, device_id).first(self._connection)
        return _SESSION.read_optional(row)

    async def running_of_products(self, user_id: UUID, product_ids: Collection[UUID]) -> list[StoredSession]:
        """The sessions of these products that run, on any device."""
        rows = await _RUNNING_OF_PRODUCTS.all(self._connection, user_id=user_id, product_ids=list(product_ids))
        return _SESSION.read_all(rows)

    async def start(self, user_id: UUID, session: StoredSession) -> None:
        """Writes a session that starts."""
        await _START.write(
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

    async def end(self, user_id: UUID, session_id: UUID, ended: Interval, reason: str) -> None:
        """Ends a running session."""
        await _END.write(
            self._connection,
            user_id=user_id,
            session_id=session_id,
            ended_at=ended.end,
            seconds=ended.seconds,
            reason=reason,
        )

    async def end_dead(
        self, user_id: UUID, session_id: UUID, ended: Interval, reason: str, not_after: datetime
    ) -> bool:
        """Ends a running session; False when it has ended, or has a sign of life later than ``not_after``."""
        changed = await _END_DEAD.run(
            self._connection,
            user_id=user_id,
            session_id=session_id,
            ended_at=ended.end,
            seconds=ended.seconds,
            reason=reason,
            not_after=not_after,
        )
        return changed == 1

    async def imported(self, user_id: UUID, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], StoredSession]:
        """Those of these pairs of a device and its own id of a session that were imported before."""
        unique = sorted(set(keys))
        found = await _IMPORTED.all(
            self._connection,
            user_id=user_id,
            device_ids=[device_id for device_id, _ in unique],
            client_ids=[client_id for _, client_id in unique],
        )
        return {(row["device_id"], row["client_session_id"]): _SESSION.read(row) for row in found}

    async def change_copy(self, user_id: UUID, session_id: UUID, copy: PlayedCopy, now: datetime) -> None:
        """Moves a running session to another copy, and records its part until ``now``, a whole second."""
        await _CHANGE_COPY.write(
            self._connection,
            user_id=user_id,
            session_id=session_id,
            new_owner_id=copy.owner_user_id,
            new_seat_number=copy.seat_number,
            now=now,
        )

    async def add_imported(self, user_id: UUID, sessions: Sequence[StoredSession]) -> None:
        """Writes imported sessions, which have ended."""
        await _IMPORT.write(
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
