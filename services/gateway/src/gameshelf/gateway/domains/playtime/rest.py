"""REST of playtime (contract, section 3.3)."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.openings import end_of_session, start_of_session
from gameshelf.gateway.domains.playtime.resources import (
    IMPORTED_SESSION,
    PLATFORM_PLAYTIME,
    PLAYTIME_COLLECTION,
    PLAYTIME_DAY,
    PLAYTIME_SESSION,
    PRODUCT_PLAYTIME,
)
from gameshelf.gateway.runtime.encoding import timestamp
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.idempotency import results_excerpt
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Signal, Write
from gameshelf.playtime import (
    Breakdown,
    DailyFilter,
    HistoryFilter,
    ImportResult,
    ImportSessions,
    Period,
    PlaytimeQueries,
    PlaytimeService,
    PlaytimeSummaryFilter,
    SessionNotFound,
    StartSession,
)

routes = Routes(
    "playtime",
    "Sessions of playing, and how long products were played.",
    {"session_id": ("Id of the session.", "45c48cce-2e2d-4fbd-aa1a-fc51c7c6ad26")},
)


@routes.write(
    "POST",
    "/playtime/sessions/start",
    body=StartSession,
    example={"product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3", "device_id": "deck-7", "platform": "linux"},
    answers=PLAYTIME_SESSION.document,
    status=201,
    also={200: "The device plays the product already: its running session."},
    refuses=("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED", "FAMILY_SEAT_BUSY"),
    opening=start_of_session,
)
async def start_session(write: Write, body: StartSession) -> Reply:
    """Starts a session.

    Needs access to the product. On a shared game it takes the seat of the copy. If the device plays the product
    already, its running session is returned with 200.
    """
    started, is_new = await write.of(PlaytimeService).start(write.user_id, body)
    return ok({"data": PLAYTIME_SESSION.render(started)}, status=201 if is_new else 200)


@routes.signal(
    "/playtime/sessions/<uuid:session_id>/heartbeat",
    status=204,
    sends=("X-Seat-Lost-At",),
    refuses=("SESSION_NOT_FOUND", "SESSION_ALREADY_ENDED", "FAMILY_SEAT_LOST"),
)
async def record_heartbeat(signal: Signal, session_id: UUID, heartbeats: Heartbeats) -> Reply:
    """Records a heartbeat.

    Keeps a session running: send one every `PLAYTIME_HEARTBEAT_INTERVAL_SECONDS`. The header `X-Seat-Lost-At` contains
    the time when the session has to end because the owner wants to play. An `Idempotency-Key` is ignored.
    """
    lost_at = await heartbeats.beat(signal.user_id, session_id)
    return Reply(204, headers={"X-Seat-Lost-At": timestamp(lost_at)} if lost_at else {})


@routes.write(
    "POST",
    "/playtime/sessions/<uuid:session_id>/end",
    answers=PLAYTIME_SESSION.document,
    refuses=("SESSION_NOT_FOUND",),
    opening=end_of_session,
)
async def end_session(write: Write, session_id: UUID) -> Reply:
    """Ends a session.

    A session that has ended already is returned as it is.
    """
    ended = await write.of(PlaytimeService).end(write.user_id, session_id)
    return ok({"data": PLAYTIME_SESSION.render(ended)})


@routes.action(
    "POST",
    "/playtime/sessions/import",
    body=ImportSessions,
    example={
        "sessions": [
            {
                "client_session_id": "deck-7-000123",
                "product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
                "start_time": "2026-05-20T18:00:00Z",
                "end_time": "2026-05-20T19:30:00Z",
                "device_id": "deck-7",
            }
        ]
    },
    answers=IMPORTED_SESSION.listing,
)
async def import_sessions(action: RestAction, body: ImportSessions) -> Reply:
    """Imports sessions that were played offline.

    Accepts up to 100 sessions. Each has a result, in the order of the request; a rejected one does not affect the
    others.
    """

    async def import_all(write: Write) -> Reply:
        results = await write.of(PlaytimeService).import_sessions(write.user_id, body.sessions)
        return ok({"data": [IMPORTED_SESSION.render(one) for one in results]})

    def render(one: Any, *result: Any) -> Any:
        return IMPORTED_SESSION.render(ImportResult(one.client_session_id, *result))

    return await action.answer(import_all, results_excerpt(body.sessions, render))


@routes.read(
    "/playtime",
    query=PlaytimeSummaryFilter,
    answers=PLAYTIME_COLLECTION,
)
async def summarize_playtime(read: Read, query: PlaytimeSummaryFilter) -> Reply:
    """Returns the playtime of each product.

    Returns a page of the products that the user has played, the last played first. With `by=platform` each element is
    about one product on one platform (`platformPlaytime`).
    """
    queries = read.of(PlaytimeQueries)
    asked = (read.user_id, query.product_ids, read.now, query.slice)
    recent_only = query.period is Period.LAST_2_WEEKS
    if query.by is Breakdown.PLATFORM:
        platforms = await queries.by_platform(*asked, recent_only=recent_only)
        total, resources = platforms.total, [PLATFORM_PLAYTIME.render(one) for one in platforms.items]
    else:
        products = await queries.summary(*asked, recent_only=recent_only)
        total, resources = products.total, [PRODUCT_PLAYTIME.render(one) for one in products.items]
    shown = await with_titles(read, resources)
    return Reply(200, render_collection(f"{BASE}/playtime", parameters(query), shown, total, query.slice))


@routes.read("/playtime/sessions", query=HistoryFilter, answers=PLAYTIME_SESSION.collection("/playtime/sessions"))
async def list_sessions(read: Read, query: HistoryFilter) -> Reply:
    """Lists the sessions.

    Returns a page of running and ended sessions, the newest first.
    """
    found = await read.of(PlaytimeQueries).history(read.user_id, query.product_id, query.slice, query.status)
    shown = await with_titles(read, [PLAYTIME_SESSION.render(one) for one in found.items])
    return Reply(
        200, render_collection(f"{BASE}/playtime/sessions", parameters(query), shown, found.total, query.slice)
    )


@routes.read(
    "/playtime/sessions/<uuid:session_id>",
    answers=PLAYTIME_SESSION.document,
    refuses=("SESSION_NOT_FOUND",),
)
async def get_session(read: Read, session_id: UUID) -> Reply:
    """Returns a session.

    The session may be running, or may have ended.
    """
    found = await read.of(PlaytimeQueries).session(read.user_id, session_id)
    if found is None:
        raise SessionNotFound
    [shown] = await with_titles(read, [PLAYTIME_SESSION.render(found)])
    return ok({"data": shown})


@routes.read("/playtime/daily", query=DailyFilter, answers=PLAYTIME_DAY.listing)
async def list_days(read: Read, query: DailyFilter) -> Reply:
    """Returns the playtime of each day.

    Returns seconds per day and product of the last 14 days, or of up to 366 days. Days without play are left out.
    """
    since, until = query.days(read.now)
    found = await read.of(PlaytimeQueries).daily(read.user_id, query.product_ids, since, until, query.tz)
    return ok({"data": await with_titles(read, [PLAYTIME_DAY.render(one) for one in found])})
