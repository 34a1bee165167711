"""REST of playtime (contract, section 3.3)."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.playtime.resources import (
    IMPORTED_SESSION,
    PLATFORM_PLAYTIME,
    PLAYTIME_DAY,
    PLAYTIME_SESSION,
    PRODUCT_PLAYTIME,
)
from gameshelf.gateway.runtime.encoding import timestamp
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.idempotency import results_of
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Signal, Write
from gameshelf.playtime import (
    Breakdown,
    DailyFilter,
    DaySum,
    HistoryFilter,
    ImportResult,
    ImportSessions,
    Period,
    PlatformSummary,
    PlaytimeQueries,
    PlaytimeService,
    ProductSummary,
    SessionNotFound,
    StartSession,
    StoredSession,
    SummaryFilter,
)

routes = Routes("playtime")


@routes.write(
    "POST",
    "/playtime/sessions/start",
    body=StartSession,
    answers=schemas.single(PLAYTIME_SESSION),
    status=201,
    also=(200,),
    refuses=("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED", "FAMILY_SEAT_BUSY"),
)
async def start_session(write: Write, body: StartSession) -> Reply:
    """Begins to play; 200 with the running session when the device plays the game already."""
    started, is_new = await write.of(PlaytimeService).start(write.user_id, body)
    return ok({"data": session(started)}, status=201 if is_new else 200)


@routes.signal(
    "/playtime/sessions/<uuid:session_id>/heartbeat",
    status=204,
    refuses=("SESSION_NOT_FOUND", "SESSION_ALREADY_ENDED", "FAMILY_SEAT_LOST"),
)
async def record_heartbeat(signal: Signal, session_id: UUID) -> Reply:
    """Says that a session goes on; ``X-Seat-Lost-At`` tells when it has to end, because the owner wants their copy."""
    lost_at = await signal.heartbeats.beat(signal.user_id, session_id)
    return Reply(204, headers={"X-Seat-Lost-At": timestamp(lost_at)} if lost_at else {})


@routes.write(
    "POST",
    "/playtime/sessions/<uuid:session_id>/end",
    answers=schemas.single(PLAYTIME_SESSION),
    refuses=("SESSION_NOT_FOUND",),
)
async def end_session(write: Write, session_id: UUID) -> Reply:
    """Ends a session; one that has ended already stays as it is."""
    ended = await write.of(PlaytimeService).end(write.user_id, session_id)
    return ok({"data": session(ended)})


async def imported_again(write: Write, kept: Any, body: ImportSessions) -> Any:
    """The first answer to an import, of its results."""
    results = zip(body.sessions, kept["brief"], strict=True)
    return {"data": [imported(ImportResult(one.client_session_id, *said)) for one, said in results]}


@routes.write(
    "POST",
    "/playtime/sessions/import",
    body=ImportSessions,
    answers=schemas.listing(IMPORTED_SESSION),
    brief=results_of,
    renew=imported_again,
)
async def import_sessions(write: Write, body: ImportSessions) -> Reply:
    """Takes over up to 100 sessions that were played offline; one result each, in their order."""
    results = await write.of(PlaytimeService).import_sessions(write.user_id, body.sessions)
    return ok({"data": [imported(result) for result in results]})


@routes.read(
    "/playtime",
    query=SummaryFilter,
    answers=schemas.collection(schemas.either(schemas.named(PRODUCT_PLAYTIME), schemas.named(PLATFORM_PLAYTIME))),
)
async def summarize_playtime(read: Read, query: SummaryFilter) -> Reply:
    """How long each product was played, or with by=platform each on each platform, the one played last first."""
    queries = read.of(PlaytimeQueries)
    asked = (read.user_id, query.product_ids, read.now, query.slice)
    recent_only = query.period is Period.LAST_2_WEEKS
    if query.by is Breakdown.PLATFORM:
        platforms = await queries.by_platform(*asked, recent_only=recent_only)
        total, resources = platforms.total, [platform_summary(one) for one in platforms.items]
    else:
        products = await queries.summary(*asked, recent_only=recent_only)
        total, resources = products.total, [summary(one) for one in products.items]
    shown = await with_titles(read, resources)
    return Reply(200, collection(f"{BASE}/playtime", parameters(query), shown, total, query.slice))


@routes.read("/playtime/sessions", query=HistoryFilter, answers=schemas.collection(schemas.named(PLAYTIME_SESSION)))
async def list_sessions(read: Read, query: HistoryFilter) -> Reply:
    """Sessions, the newest first; running ones too."""
    found = await read.of(PlaytimeQueries).history(read.user_id, query.product_id, query.slice, query.status)
    shown = await with_titles(read, [session(one) for one in found.items])
    return Reply(200, collection(f"{BASE}/playtime/sessions", parameters(query), shown, found.total, query.slice))


@routes.read(
    "/playtime/sessions/<uuid:session_id>",
    answers=schemas.single(schemas.named(PLAYTIME_SESSION)),
    refuses=("SESSION_NOT_FOUND",),
)
async def get_session(read: Read, session_id: UUID) -> Reply:
    """One session, whether it runs or has ended."""
    found = await read.of(PlaytimeQueries).session(read.user_id, session_id)
    if found is None:
        raise SessionNotFound
    [shown] = await with_titles(read, [session(found)])
    return ok({"data": shown})


@routes.read("/playtime/daily", query=DailyFilter, answers=schemas.listing(schemas.named(PLAYTIME_DAY)))
async def list_days(read: Read, query: DailyFilter) -> Reply:
    """Seconds a day and product, of the last 14 days or of up to 366 days; days without play are left out."""
    since, until = query.days(read.now)
    found = await read.of(PlaytimeQueries).daily(read.user_id, query.product_ids, since, until, query.tz)
    return ok({"data": await with_titles(read, [day(one) for one in found])})


def session(stored: StoredSession) -> dict[str, Any]:
    """The resource ``playtimeSession``."""
    return {
        "type": "playtimeSession",
        "id": stored.id,
        "attributes": {
            "product_id": stored.product_id,
            "device_id": stored.device_id or None,
            "platform": stored.platform,
            "start_time": stored.start_time,
            "status": "active" if stored.end_time is None else "completed",
            "end_time": stored.end_time,
            "duration_seconds": stored.duration_seconds,
            "end_reason": stored.end_reason,
            "seat_number": stored.seat_number,
        },
    }


def imported(result: ImportResult) -> dict[str, Any]:
    """The resource ``importedSession``."""
    return {
        "type": "importedSession",
        "id": result.client_session_id,
        "attributes": {
            "client_session_id": result.client_session_id,
            "result": result.result,
            "code": result.code,
        },
    }


def summary(of: ProductSummary) -> dict[str, Any]:
    """The resource ``productPlaytime``."""
    return {
        "type": "productPlaytime",
        "id": of.product_id,
        "attributes": {
            "product_id": of.product_id,
            "total_playtime_seconds": of.total_playtime_seconds,
            "last_2_weeks_seconds": of.last_2_weeks_seconds,
            "last_played_at": of.last_played_at,
            "session_count": of.session_count,
        },
    }


def platform_summary(of: PlatformSummary) -> dict[str, Any]:
    """The resource ``platformPlaytime``."""
    return {
        "type": "platformPlaytime",
        "id": f"{of.product_id}:{of.platform or ''}",
        "attributes": {
            "product_id": of.product_id,
            "platform": of.platform,
            "total_playtime_seconds": of.total_playtime_seconds,
            "last_2_weeks_seconds": of.last_2_weeks_seconds,
            "last_played_at": of.last_played_at,
            "session_count": of.session_count,
        },
    }


def day(played: DaySum) -> dict[str, Any]:
    """The resource ``playtimeDay``."""
    return {
        "type": "playtimeDay",
        "id": f"{played.day}:{played.product_id}",
        "attributes": {"date": played.day, "product_id": played.product_id, "playtime_seconds": played.seconds},
    }
