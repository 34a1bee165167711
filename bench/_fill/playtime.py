"""Playtime: the ledger, its unions and totals, and a few corrections and imports."""

from _fill.binary import DAY, NULL, SECOND, Target, bigint, integer, moment, text, time, uuid
from _fill.draws import between, random_id
from _fill.people import Game, Person
from _fill.rows import Rows

SESSIONS = Target(
    "playtime.playtime_sessions",
    "user_id id product_id device_id platform start_time end_time duration_seconds end_reason last_heartbeat_at "
    "client_session_id created_at",
)
INTERVALS = Target("playtime.playtime_intervals", "user_id product_id start_time end_time")
TOTALS = Target(
    "playtime.playtime_totals",
    "user_id product_id played_seconds corrected_seconds session_count last_played_at",
)
SYNCS = Target("playtime.playtime_syncs", "user_id device_id synced_at")
ANOMALIES = Target("playtime.playtime_anomalies", "user_id kind subject seconds detected_at")
CORRECTIONS = Target("playtime.playtime_corrections", "user_id id product_id seconds reason created_at")
PLAYTIME = (SESSIONS, INTERVALS, TOTALS, SYNCS, ANOMALIES, CORRECTIONS)

IMPORTING, TIMED_OUT, CORRECTED, FLAGGED = 0.1, 0.1, 0.005, 0.03
_PLATFORMS = tuple(map(text, ("windows", "windows", "linux", "macos")))
_COMPLETED, _TIMEOUT, _IMPORTED = map(text, ("completed", "timeout", "imported"))


def add_playtime(rows: Rows, of: Person) -> None:
    """Adds the rows of what a user has played."""
    device, platform = text(of.device), of.draw.choice(_PLATFORMS)
    is_importing = bool(of.played) and of.draw.random() < IMPORTING
    for game in of.played:
        for start, end in game.sessions:
            _add_ended(rows, of, game, (device, platform), (start, end), is_importing)
        if game.running_since:
            _add_running(rows, of, game, (device, platform))
        _add_total(rows, of, game)
    if is_importing:
        rows.add(SYNCS, of.key, text(""), bigint(of.now - between(of.draw, 1, 300) * DAY))
    if of.played and of.draw.random() < FLAGGED:
        day = of.now - between(of.draw, 1, 300) * DAY
        rows.add(ANOMALIES, of.key, text("long_day"), text(f"{moment(day):%Y-%m-%d}"), bigint(90_000), bigint(day))


def _add_ended(
    rows: Rows, of: Person, game: Game, where: tuple[bytes, bytes], session: tuple[int, int], is_importing: bool
) -> None:
    start, end = map(bigint, session)
    own, reason = NULL, _TIMEOUT if of.draw.random() < TIMED_OUT else _COMPLETED
    if is_importing:
        own, reason = text(f"offline-{of.draw.getrandbits(48):012x}"), _IMPORTED
    length = integer((session[1] - session[0]) // SECOND)
    who = (of.key, uuid(random_id(of.draw)), game.product.field, *where)
    rows.add(SESSIONS, *who, start, end, length, reason, end, own, start)
    rows.add(INTERVALS, of.key, game.product.field, start, end)


def _add_running(rows: Rows, of: Person, game: Game, where: tuple[bytes, bytes]) -> None:
    start, seen = time(game.running_since), bigint(of.now)
    who = (of.key, uuid(random_id(of.draw)), game.product.field, *where)
    rows.add(SESSIONS, *who, start, NULL, NULL, NULL, seen, NULL, start)


def _add_total(rows: Rows, of: Person, game: Game) -> None:
    corrected = 3600 if of.draw.random() < CORRECTED else 0
    if corrected:
        correction, now = uuid(random_id(of.draw)), bigint(of.now)
        rows.add(CORRECTIONS, of.key, correction, game.product.field, bigint(corrected), text("a server was down"), now)
        game.corrected_seconds = corrected
    rows.add(
        TOTALS,
        of.key,
        game.product.field,
        bigint(game.played_seconds),
        bigint(corrected),
        integer(len(game.sessions)),
        time(game.last_played_at),
    )
