"""Reads of a user's play: totals, sessions and seconds per day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.paging import Page, Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, page_of, user
from gameshelf.playtime._commands import SessionStatus
from gameshelf.playtime._models import PlaytimeInterval, PlaytimeSession, PlaytimeTotal
from gameshelf.playtime._queries.unsynced import UnsyncedPlay, unsynced_play
from gameshelf.playtime._rules import RECENT, Interval, by_day, clip
from gameshelf.playtime._store.sessions import SESSION_COLUMNS, StoredSession
from gameshelf.playtime._unions import seconds, unions, whole
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class ProductSummary:
    """How long one product was played, in seconds."""

    product_id: UUID
    total_playtime_seconds: int
    last_2_weeks_seconds: int
    last_played_at: datetime | None
    session_count: int
    corrected_seconds: int
    """The part of the total that support has added, or subtracted if negative."""


@dataclass(frozen=True, slots=True)
class PlatformSummary:
    """How long one product was played on one platform, in seconds."""

    product_id: UUID
    platform: str | None
    """None: the sessions without a platform."""
    total_playtime_seconds: int
    last_2_weeks_seconds: int
    last_played_at: datetime
    session_count: int


@dataclass(frozen=True, slots=True)
class DaySum:
    """Seconds of one product on one calendar day."""

    day: date
    product_id: UUID
    seconds: int


_S, _I, _T = PlaytimeSession, PlaytimeInterval, PlaytimeTotal
_NO_FILTER = array("product_ids", Uuid).is_(None)
_SINCE, _UNTIL = bindparam("since", type_=TIME), bindparam("until", type_=TIME)

# The seconds of a window: intervals are cut at its edges. The key finds the interval that reaches into it from before.
_before = aliased(PlaytimeInterval)
_recent = (
    select(
        func.coalesce(
            func.sum(
                func.extract("epoch", func.least(col(_I.end_time), _UNTIL) - func.greatest(col(_I.start_time), _SINCE))
            ),
            0,
        ).cast(BigInteger)
    )
    .where(
        col(_I.user_id) == col(_T.user_id),
        col(_I.product_id) == col(_T.product_id),
        col(_I.start_time)
        >= func.coalesce(
            select(func.max(col(_before.start_time)))
            .where(
                col(_before.user_id) == col(_T.user_id),
                col(_before.product_id) == col(_T.product_id),
                col(_before.start_time) <= _SINCE,
            )
            # Without this it would join the totals of all users: a subquery correlates only with the query around it.
            .correlate_except(_before)
            .scalar_subquery(),
            _SINCE,
        ),
        col(_I.start_time) < _UNTIL,
        col(_I.end_time) > _SINCE,
    )
    .scalar_subquery()
)
_PLAYED_SINCE = bindparam("played_since", type_=TIME)
_of_products = and_(col(_T.user_id) == user(), or_(_NO_FILTER, col(_T.product_id) == any_(array("product_ids", Uuid))))
_summaries = select(
    col(_T.product_id),
    (col(_T.played_seconds) + col(_T.corrected_seconds)).label("total_playtime_seconds"),
    _recent.label("last_2_weeks_seconds"),
    col(_T.last_played_at),
    col(_T.session_count),
    col(_T.corrected_seconds),
)
_SUMMARY = page_of(
    _summaries.where(_of_products, or_(_PLAYED_SINCE.is_(None), col(_T.last_played_at) >= _PLAYED_SINCE)),
    lambda found: (found.last_played_at.desc().nulls_last(), found.product_id),
)
# By key, and without a total: it costs what these products cost, however many the user has played.
_OF_PRODUCTS = Statement(
    _summaries.where(col(_T.user_id) == user(), col(_T.product_id) == any_(array("product_ids", Uuid)))
)

# The stored unions are of products, so those of platforms are made from the ledger at each read.
_sessions = and_(col(_S.user_id) == user(), or_(_NO_FILTER, col(_S.product_id) == any_(array("product_ids", Uuid))))
_on_platforms = unions(
    select(col(_S.product_id), col(_S.platform), col(_S.start_time), col(_S.end_time))
    .where(_sessions, col(_S.end_time) > col(_S.start_time))
    .subquery("ended"),
    "product_id",
    "platform",
)
_began = func.greatest(_on_platforms.c.start_time, _SINCE)
_parts = union_all(
    select(
        _on_platforms.c.product_id,
        _on_platforms.c.platform,
        seconds(_on_platforms.c.start_time, _on_platforms.c.end_time).label("total_seconds"),
        # The part outside of the window is empty.
        seconds(_began, func.greatest(_began, func.least(_on_platforms.c.end_time, _UNTIL))).label("recent_seconds"),
        cast(null(), TIME).label("last_played_at"),
        literal(0, Integer).label("ended_sessions"),
    ),
    select(
        col(_S.product_id),
        col(_S.platform),
        literal(0, BigInteger),
        literal(0, BigInteger),
        func.coalesce(col(_S.end_time), col(_S.start_time)),
        case((col(_S.end_time).is_(None), 0), else_=1),
    ).where(_sessions),
).subquery("parts")
_played_last = func.max(_parts.c.last_played_at)
_BY_PLATFORM = page_of(
    select(
        _parts.c.product_id,
        _parts.c.platform,
        whole(_parts.c.total_seconds).label("total_playtime_seconds"),
        whole(_parts.c.recent_seconds).label("last_2_weeks_seconds"),
        _played_last.label("last_played_at"),
        whole(_parts.c.ended_sessions).label("session_count"),
    )
    .group_by(_parts.c.product_id, _parts.c.platform)
    .having(or_(_PLAYED_SINCE.is_(None), _played_last >= _PLAYED_SINCE)),
    lambda found: (found.last_played_at.desc(), found.product_id, found.platform.asc().nulls_last()),
)
_SESSION_OF_ID = Statement(
    select(*SESSION_COLUMNS).where(col(_S.user_id) == user(), col(_S.id) == bindparam("session_id", type_=Uuid))
)
_RUNNING = Statement(
    select(*SESSION_COLUMNS)
    .where(col(_S.user_id) == user(), col(_S.end_time).is_(None))
    .order_by(col(_S.start_time).desc(), col(_S.id))
    .limit(bindparam("limit", type_=Integer))
)
_HISTORY = page_of(
    select(*SESSION_COLUMNS).where(
        col(_S.user_id) == user(),
        or_(
            bindparam("product_id", type_=Uuid).is_(None),
            col(_S.product_id) == bindparam("product_id", type_=Uuid),
        ),
        or_(
            bindparam("is_active", type_=Boolean).is_(None),
            col(_S.end_time).is_(None) == bindparam("is_active", type_=Boolean),
        ),
    ),
    lambda found: (found.start_time.desc(), found.id),
)
_PRODUCT_SUMMARY = RowReader(ProductSummary, _SUMMARY, _OF_PRODUCTS, others=("total",))
_PLATFORM_SUMMARY = RowReader(PlatformSummary, _BY_PLATFORM, others=("total",))
_SESSION = RowReader(StoredSession, _SESSION_OF_ID, _RUNNING, _HISTORY, others=("total",))
_INTERVALS = Statement(
    select(col(_I.product_id), col(_I.start_time), col(_I.end_time))
    .where(
        col(_I.user_id) == user(),
        or_(_NO_FILTER, col(_I.product_id) == any_(array("product_ids", Uuid))),
        col(_I.start_time) < _UNTIL,
        col(_I.end_time) > _SINCE,
    )
    .order_by(col(_I.product_id), col(_I.start_time))
)
_LEDGER = Statement(
    select(col(_S.product_id), col(_S.start_time), col(_S.end_time)).where(
        col(_S.user_id) == user(), col(_S.end_time).is_not(None)
    )
)


_Read = TypeVar("_Read")
_Summary = TypeVar("_Summary", ProductSummary, PlatformSummary)


class PlaytimeQueries:
    """Reads of a user's play over one connection. Each method is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def summary(
        self, user_id: UUID, product_ids: Sequence[UUID], now: datetime, page: Page, *, recent_only: bool = False
    ) -> Slice[ProductSummary]:
        """Totals of these products, or of all that were ever played, the one played last first."""
        return await self._summaries(_SUMMARY, _PRODUCT_SUMMARY, user_id, product_ids, now, page, recent_only)

    async def by_platform(
        self, user_id: UUID, product_ids: Sequence[UUID], now: datetime, page: Page, *, recent_only: bool = False
    ) -> Slice[PlatformSummary]:
        """Totals of these products, or of all, on each platform. Time that overlaps on two platforms counts on each;
        corrections by support belong to none.
        """
        return await self._summaries(_BY_PLATFORM, _PLATFORM_SUMMARY, user_id, product_ids, now, page, recent_only)

    async def _summaries(
        self,
        statement: Statement,
        reader: RowReader[_Summary],
        user_id: UUID,
        product_ids: Sequence[UUID],
        now: datetime,
        page: Page,
        recent_only: bool,
    ) -> Slice[_Summary]:
        rows = await statement.all(
            self._connection,
            user_id=user_id,
            product_ids=list(product_ids) or None,
            since=now - RECENT,
            until=now,
            played_since=now - RECENT if recent_only else None,
            limit=page.limit,
            offset=page.offset,
        )
        return _slice(reader, rows, "product_id")

    @staticmethod
    def lookup_of_products(user_id: UUID, product_ids: Sequence[UUID], now: datetime) -> BoundStatement:
        """Returns what ``of_products`` reads."""
        return _OF_PRODUCTS.bind(user_id=user_id, product_ids=list(product_ids), since=now - RECENT, until=now)

    async def of_products(
        self, user_id: UUID, product_ids: Sequence[UUID], now: datetime
    ) -> dict[UUID, ProductSummary]:
        """Totals of those of these products that were ever played."""
        rows = await self.lookup_of_products(user_id, product_ids, now).all(self._connection)
        return {one.product_id: one for one in _PRODUCT_SUMMARY.read_all(rows)}

    @staticmethod
    def lookup_running(user_id: UUID, limit: int) -> BoundStatement:
        """Returns what ``running`` reads."""
        return _RUNNING.bind(user_id=user_id, limit=limit)

    async def running(self, user_id: UUID, limit: int) -> list[StoredSession]:
        """The sessions that run, the newest first, at most ``limit`` of them."""
        return _SESSION.read_all(await self.lookup_running(user_id, limit).all(self._connection))

    async def session(self, user_id: UUID, session_id: UUID) -> StoredSession | None:
        """One session; None where the user has none of that id."""
        row = await _SESSION_OF_ID.first(self._connection, user_id=user_id, session_id=session_id)
        return _SESSION.read_optional(row)

    async def history(
        self, user_id: UUID, product_id: UUID | None, page: Page, status: SessionStatus | None = None
    ) -> Slice[StoredSession]:
        """Sessions, the newest first."""
        rows = await _HISTORY.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            is_active=None if status is None else status is SessionStatus.ACTIVE,
            limit=page.limit,
            offset=page.offset,
        )
        return _slice(_SESSION, rows, "id")

    async def daily(
        self, user_id: UUID, product_ids: Sequence[UUID], since: date, until: date, zone: tzinfo
    ) -> list[DaySum]:
        """Seconds per day and product, from ``since`` through ``until`` in a time zone; empty days are left out."""
        window = Interval(
            datetime.combine(since, time(), zone).astimezone(UTC),
            datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC),
        )
        rows = await _INTERVALS.all(
            self._connection,
            user_id=user_id,
            product_ids=list(product_ids) or None,
            since=window.start,
            until=window.end,
        )
        played: dict[UUID, list[Interval]] = defaultdict(list)
        for row in rows:
            part = clip(Interval(row["start_time"], row["end_time"]), window)
            if part:
                played[row["product_id"]].append(part)
        sums = [
            DaySum(day, product_id, spent)
            for product_id, intervals in played.items()
            for day, spent in by_day(intervals, zone).items()
        ]
        return sorted(sums, key=lambda one: (one.day, one.product_id))

    async def unsynced(
        self, user_id: UUID, product_id: UUID, moments: Mapping[str, datetime], otherwise: datetime
    ) -> list[UnsyncedPlay]:
        """The play of a product on each of these devices after the device's moment, and on the devices where it runs,
        after ``otherwise`` if they have no moment. The devices are in the order of their ids.
        """
        return await unsynced_play(self._connection, user_id, product_id, moments, otherwise)

    async def ledger(self, user_id: UUID) -> dict[UUID, list[Interval]]:
        """All sessions that ended, by product: totals are recomputed from them."""
        found: dict[UUID, list[Interval]] = defaultdict(list)
        for row in await _LEDGER.all(self._connection, user_id=user_id):
            found[row["product_id"]].append(Interval(row["start_time"], row["end_time"]))
        return found


def _slice(reader: RowReader[_Read], rows: Sequence[Any], key: str) -> Slice[_Read]:
    """A page of a list; a page past the end has one row without a ``key``, only with the total."""
    return Slice([reader.read(row) for row in rows if row[key] is not None], rows[0]["total"])
