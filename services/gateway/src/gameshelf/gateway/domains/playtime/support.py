"""``playtime show|correct|recompute|anomalies``: a user's playtime, corrections and anomalies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.playtime.changes import CorrectPlaytime, RecomputePlaytime, undo_correction
from gameshelf.gateway.domains.playtime.grpc import session_message
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_optional_id, parse_time
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc import cursors
from gameshelf.gateway.runtime.support.rpc.context import (
    SupportContext,
    page_limit,
    parse_options,
)
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import MAX_PAGE, Page
from gameshelf.playtime import (
    AnomalyPlace,
    Correction,
    FlaggedPlay,
    ImportedPlay,
    LedgerEntry,
    PlaytimeQueries,
    PlaytimeSupportQueries,
    ProductSummary,
    SessionPlace,
    playtime_overview,
)
from gameshelf.protos.library.v1 import admin_playtime_pb2 as messages

COMMANDS = (
    read_command("playtime show", "ShowPlaytime"),
    change_command("playtime correct", "CorrectPlaytime", ANY, undo_correction),
    change_command("playtime recompute", "RecomputePlaytime", ANY),
    read_command("playtime anomalies", "ListPlaytimeAnomalies"),
)
_KINDS = ("long_day", "fast_import")
_DAYS = 14 * 7
"""The number of days whose play is shown, today included."""
_IMPORTS = 5
"""Number of imports that are shown: each one requires a union of intervals."""
_NEW = "dry run"
"""The reason stored with a correction that a dry run rolls back."""

Titles = Mapping[UUID, str]


class PlaytimeOfUser:
    """Serves playtime."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ShowPlaytime(self, request: messages.ShowPlaytimeRequest, by: Identity) -> messages.ShowPlaytimeResponse:
        user_id = parse_id(request.user_id, "user_id")
        product_id = parse_optional_id(request.product_id, "product_id")
        limit = page_limit(request.limit)
        if request.with_imports and product_id is None:
            raise InvalidInput(Problem("missing", pointer="product_id"))
        since, until = (_moment(request, name) for name in ("since", "until"))
        after = _session_place(request.cursor)
        page = Page(min(max(request.page, 1), MAX_PAGE), limit)
        products: Sequence[ProductSummary] = ()
        corrections: Sequence[Correction] = ()
        imports: Sequence[ImportedPlay] = ()
        days: Mapping[date, int] = {}
        today = self._context.clock().astimezone(UTC).date()
        first = today - timedelta(days=_DAYS - 1)
        total = 0
        async with self._context.reading(user_id) as connection:
            support = PlaytimeSupportQueries(connection)
            if after is None:
                wanted = [product_id] if product_id else []
                summary = await PlaytimeQueries(connection).summary(user_id, wanted, self._context.clock(), page)
                products, total = summary.items, summary.total
                corrections = await support.corrections(user_id, product_id, limit=limit)
                days = await _played_days(connection, user_id, wanted, first, today)
            if request.with_imports and product_id:
                imports = await support.imports(user_id, product_id, _IMPORTS)
            found = await support.sessions(user_id, product_id, since=since, until=until, after=after, limit=limit + 1)
            sessions = found[:limit]
            named = {one.product_id for one in products}
            named |= {one.product_id for one in corrections} | {one.session.product_id for one in sessions}
            titles = await self._context.titles(connection, sorted(named))
        last = sessions[-1].session if len(found) > limit else None
        return messages.ShowPlaytimeResponse(
            products=[_product(one, titles) for one in products],
            total_products=total,
            sessions=[_session(user_id, one, titles) for one in sessions],
            next_cursor=cursors.pack(last.start_time, last.id) if last else "",
            corrections=[_correction(one, titles) for one in corrections],
            imports=[_import(one) for one in imports],
            days=[messages.PlayedDay(day=day.isoformat(), seconds=seconds) for day, seconds in sorted(days.items())],
            first_day=first.isoformat() if after is None else "",
            last_day=today.isoformat() if after is None else "",
        )

    async def CorrectPlaytime(
        self, request: messages.CorrectPlaytimeRequest, by: Identity
    ) -> messages.CorrectPlaytimeResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        product_id = parse_id(request.product_id, "product_id")
        change = CorrectPlaytime(user_id, product_id, request.seconds, options.reason or _NEW)
        done = await self._context.make_change(change, options, by)
        return messages.CorrectPlaytimeResponse(result=done)

    async def RecomputePlaytime(
        self, request: messages.RecomputePlaytimeRequest, by: Identity
    ) -> messages.RecomputePlaytimeResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        product_id = parse_optional_id(request.product_id, "product_id")
        done = await self._context.make_change(RecomputePlaytime(user_id, product_id), options, by)
        return messages.RecomputePlaytimeResponse(result=done)

    async def ListPlaytimeAnomalies(
        self, request: messages.ListPlaytimeAnomaliesRequest, by: Identity
    ) -> messages.ListPlaytimeAnomaliesResponse:
        user_id = parse_optional_id(request.user_id, "user_id")
        if request.kind and request.kind not in _KINDS:
            raise InvalidInput(Problem("enum", pointer="kind", params={"expected": ", ".join(_KINDS)}))
        limit, after = page_limit(request.limit), _anomaly_place(request.cursor)
        async with self._context.reading(user_id) if user_id else self._context.acquire() as connection:
            found = await PlaytimeSupportQueries(connection).anomalies(
                user_id, request.kind or None, after=after, limit=limit + 1
            )
            shown = found[:limit]
            erased = await self._context.streams.being_erased(connection, {one.user_id for one in shown})
        return messages.ListPlaytimeAnomaliesResponse(
            anomalies=[_anomaly(one) for one in shown if one.user_id not in erased],
            next_cursor=cursors.pack(*shown[-1].place) if len(found) > limit else "",
        )


async def _played_days(
    connection: Connection, user_id: UUID, product_ids: Sequence[UUID], first: date, last: date
) -> Mapping[date, int]:
    """Returns the seconds of each day of UTC on which one of the products was played; [] means all products."""
    found = await PlaytimeQueries(connection).daily(user_id, product_ids, first, last, UTC)
    days: Counter[date] = Counter()
    for one in found:
        days[one.day] += one.seconds
    return days


def _moment(request: messages.ShowPlaytimeRequest, name: str) -> datetime | None:
    """Parses a time of the request; returns None if it is absent. Raises InvalidInput."""
    return parse_time(getattr(request, name), name) if request.HasField(name) else None


def _session_place(cursor: str) -> SessionPlace | None:
    return SessionPlace(*cursors.unpack(cursor, cursors.moment, UUID)) if cursor else None


def _anomaly_place(cursor: str) -> AnomalyPlace | None:
    return AnomalyPlace(*cursors.unpack(cursor, cursors.moment, UUID, str, str)) if cursor else None


def _product(of: ProductSummary, titles: Titles) -> messages.ProductPlaytime:
    return messages.ProductPlaytime(
        product_id=str(of.product_id),
        title=titles.get(of.product_id, ""),
        total_seconds=of.total_playtime_seconds,
        played_seconds=of.total_playtime_seconds - of.corrected_seconds,
        corrected_seconds=of.corrected_seconds,
        recent_seconds=of.last_2_weeks_seconds,
        last_played_at=timestamp(of.last_played_at),
        session_count=of.session_count,
    )


def _session(user_id: UUID, of: LedgerEntry, titles: Titles) -> messages.AdminPlaytimeSession:
    return messages.AdminPlaytimeSession(
        session=session_message(user_id, of.session),
        client_session_id=text(of.session.client_session_id),
        copy_owner_user_id=text(of.session.copy_owner_user_id),
        last_heartbeat_at=timestamp(of.session.last_heartbeat_at),
        recorded_at=timestamp(of.recorded_at),
        title=titles.get(of.session.product_id, ""),
    )


def _import(of: ImportedPlay) -> messages.ImportedPlay:
    return messages.ImportedPlay(
        device_id=of.device_id,
        recorded_at=timestamp(of.recorded_at),
        sessions=of.sessions,
        seconds=of.seconds,
        first_start=timestamp(of.first_start),
        last_end=timestamp(of.last_end),
        counted_seconds=of.counted_seconds,
    )


def _correction(of: Correction, titles: Titles) -> messages.PlaytimeCorrection:
    return messages.PlaytimeCorrection(
        product_id=str(of.product_id),
        seconds=of.seconds,
        reason=of.reason,
        created_at=timestamp(of.created_at),
        title=titles.get(of.product_id, ""),
    )


def _anomaly(of: FlaggedPlay) -> messages.PlaytimeAnomaly:
    return messages.PlaytimeAnomaly(
        user_id=str(of.user_id),
        kind=of.kind,
        subject=of.subject,
        seconds=of.seconds,
        found_at=timestamp(of.detected_at),
    )


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    found = await playtime_overview(connection, user_id)
    return {
        "total_playtime_seconds": found.total_seconds,
        "last_played_at": found.last_played_at,
        "running_sessions": found.running_sessions,
        "playtime_anomalies": found.anomalies,
    }


OVERVIEW = Overview(_count, volatile=frozenset({"total_playtime_seconds", "last_played_at", "running_sessions"}))
"""Counts playtime for ``user show``."""
