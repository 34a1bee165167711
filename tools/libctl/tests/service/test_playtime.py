"""``libctl playtime show|correct|recompute|anomalies``, with a player whose launcher reported far too much."""

import asyncio
import base64
import json
import time
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from rich.cells import cell_len

HOUR = 3600
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
TITLE = "Far Horizon"
NOBODY = UUID(int=0)


class Player:
    """Somebody with a game, and a launcher that reports sessions."""

    def __init__(self, platform, service, game):
        self.id, self.game = uuid4(), game
        headers = {"Authorization": f"Bearer {platform.issuer.issue(str(self.id), ('user',), ttl=3600)}"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path, **body):
        response = self.http.post(path, json=body)
        assert response.status_code in (200, 201), response.text
        return response.json()["data"]

    def imports(self, *sessions, device="deck"):
        """Imports sessions: when each began, how many hours it took, and the launcher's name of it."""
        sessions_json = [
            {
                "client_session_id": name,
                "product_id": str(self.game),
                "start_time": start.isoformat(),
                "end_time": (start + timedelta(hours=hours)).isoformat(),
                "device_id": device,
            }
            for start, hours, name in sessions
        ]
        results = self.post("/playtime/sessions/import", data={"attributes": {"sessions": sessions_json}})
        assert {one["attributes"]["result"] for one in results} == {"accepted"}

    def sees(self):
        """The total that the library shows."""
        [item] = self.http.get("/items").json()["data"]
        return item["attributes"]["total_playtime_seconds"]


@pytest.fixture(scope="module")
def new_player(platform, service):
    """Makes players who have owned a game for a while."""
    game, players = uuid4(), []
    asyncio.run(say(platform, "com.platform.catalog.product.updated.v1", productId=str(game), newTitle=TITLE))

    def make():
        player = Player(platform, service, game)
        players.append(player)
        bought = (DAY - timedelta(days=40)).isoformat()
        items = [{"productId": str(game), "productType": "game", "quantity": 1}]
        order = {"userId": str(player.id), "orderId": uuid4().hex, "items": items, "purchaseTimestamp": bought}
        asyncio.run(say(platform, "com.platform.payment.purchase.completed.v1", **order))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not [one for one in player.http.get("/items").json()["data"] if one["attributes"]["title"] == TITLE]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return player

    yield make
    for player in players:
        player.http.close()


async def say(platform, kind, **data):
    await publish(platform.kafka.address, [CloudEvent(kind, data)])


@pytest.fixture
def player(new_player):
    return new_player()


def make_impossible(new_player):
    """Two devices reported the same day, and one of them more hours than the day has; a session runs."""
    player = new_player()
    player.imports((DAY, 1, "first"))
    player.imports(*((DAY + timedelta(hours=hour), 6, f"six-{hour}") for hour in range(0, 20, 2)), device="deck")
    player.post("/playtime/sessions/start", data={"attributes": {"product_id": str(player.game), "device_id": "desk"}})
    return player


@pytest.fixture(scope="module")
def impossible(new_player):
    """Its session may have timed out."""
    return make_impossible(new_player)


def test_what_was_played_is_shown_with_its_sessions(support, new_player):
    impossible = make_impossible(new_player)
    shown = support.shows("playtime", "show", impossible.id)
    for part in (
        TITLE,
        str(impossible.game),
        "24h 00m 00s",
        "deck",
        ", six-4",
        "runs, last sign of life",
        f"{DAY:%Y-%m-%d} 04:00",
    ):
        assert part in shown
    data = support.data("playtime", "show", impossible.id)
    [product] = data["products"]
    assert (product["title"], product["total_seconds"], product["session_count"]) == (TITLE, 24 * HOUR, 11)
    assert (product["played_seconds"], product["corrected_seconds"], product["recent_seconds"]) == (24 * HOUR, 0, 0)
    assert data["total_products"] == 1
    running, *imported = data["sessions"]
    assert (running["session"]["status"], running["session"]["device_id"]) == ("active", "desk")
    # A session begins with a whole second; its first sign of life in Redis has milliseconds.
    assert running["last_heartbeat_at"][:19] == running["session"]["start_time"][:19]
    assert {one["session"]["end_reason"] for one in imported} == {"imported"}
    assert imported[-1]["client_session_id"] in ("first", "six-0")
    assert data["corrections"] == []


def test_the_play_of_the_last_weeks_is_summed_by_day(support, impossible):
    data = support.data("playtime", "show", impossible.id)
    assert data["days"] == [{"day": f"{DAY:%Y-%m-%d}", "seconds": 24 * HOUR}]
    first, last = (date.fromisoformat(data[name]) for name in ("first_day", "last_day"))
    assert last - first == timedelta(days=97)
    assert last in (datetime.now(UTC).date(), datetime.now(UTC).date() - timedelta(days=1))
    of_game = support.data("playtime", "show", impossible.id, "--product", impossible.game, "--limit", 6)
    assert of_game["days"] == data["days"]
    assert support.data("playtime", "show", impossible.id, "--product", uuid4())["days"] == []
    rest = support.data("playtime", "show", impossible.id, "--limit", 6, "--cursor", of_game["next_cursor"])
    assert (rest["days"], rest["first_day"], rest["last_day"]) == ([], "", "")


@pytest.mark.parametrize("columns", [80, 120])
def test_totals_have_bars_and_the_last_weeks_a_sparkline(support, impossible, columns):
    support.columns = columns
    shown = support.shows("playtime", "show", impossible.id)
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert "\x1b" not in shown
    days, weeks, *_ = shown.splitlines()
    assert days.split() == ["last", "14", "days", "·" * 14, "not", "played"]
    assert weeks.count("█") == 1
    assert "24h 00m, most 24h 00m (week of 20" in weeks
    assert "█" * 14 in shown.split("product", 1)[1]


def test_the_sessions_of_one_day_and_their_pages(support, impossible):
    def names(*words):
        data = support.data("playtime", "show", impossible.id, *words)
        return [one["client_session_id"] for one in data["sessions"]], data["next_cursor"], data["products"]

    assert names("--day", f"{DAY - timedelta(days=1):%Y-%m-%d}")[0] == []
    late, *_ = names("--day", f"{DAY + timedelta(days=1):%Y-%m-%d}")
    assert late == []
    of_day, cursor, products = names("--day", f"{DAY:%Y-%m-%d}", "--product", impossible.game, "--limit", 6)
    assert len(of_day) == 6
    assert len(products) == 1
    rest, no_more, no_products = names("--day", f"{DAY:%Y-%m-%d}", "--limit", 6, "--cursor", cursor)
    assert (no_more, no_products) == ("", [])
    assert sorted(of_day + rest) == sorted(["first", *(f"six-{hour}" for hour in range(0, 20, 2))])
    ran = support.run("playtime", "show", impossible.id, "--limit", 6)
    assert "--cursor" in ran.err


def test_an_import_is_shown_with_its_part_of_the_total(support, impossible):
    words = ("playtime", "show", impossible.id, "--product", impossible.game, "--imports")
    much, little = support.data(*words)["imports"]
    assert (much["device_id"], much["sessions"], much["seconds"], much["counted_seconds"]) == (
        "deck",
        10,
        60 * HOUR,
        23 * HOUR,
    )
    assert (little["sessions"], little["counted_seconds"]) == (1, 0)
    shown = support.shows(*words)
    for part in ("60h 00m 00s", "23h 00m 00s", f"{DAY:%Y-%m-%d} to {DAY + timedelta(days=1):%Y-%m-%d}"):
        assert part in shown
    assert support.refused("playtime", "show", impossible.id, "--imports") == (2, "USAGE")


def test_what_cannot_be_is_listed(support, new_player, impossible):
    [device, day] = sorted(
        support.data("playtime", "anomalies", "--user", impossible.id)["anomalies"], key=lambda one: one["kind"]
    )
    assert (device["kind"], device["seconds"]) == ("fast_import", 60 * HOUR)
    assert device["subject"].endswith(" deck")
    assert (day["kind"], day["subject"], day["seconds"]) == ("long_day", f"{DAY:%Y-%m-%d}", 61 * HOUR)
    shown = support.shows("playtime", "anomalies", "--user", impossible.id)
    for part in ("long_day", "61h 00m 00s", f"{DAY:%Y-%m-%d}"):
        assert part in shown
    assert "Nothing that can't be." in support.shows("playtime", "anomalies", "--user", uuid4())


def test_what_cannot_be_is_listed_of_everybody_page_by_page(support, impossible):
    found, cursor = [], ""
    while True:
        words = ("--limit", 1, *(("--cursor", cursor) if cursor else ()))
        page = support.data("playtime", "anomalies", *words)
        found += [(one["user_id"], one["kind"]) for one in page["anomalies"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(set(found)) == len(found)
    assert {(str(impossible.id), "long_day"), (str(impossible.id), "fast_import")} <= set(found)
    days = support.data("playtime", "anomalies", "--kind", "long_day")["anomalies"]
    assert {one["kind"] for one in days} == {"long_day"}
    assert str(impossible.id) in support.shows("playtime", "anomalies")


def cursor_of(*texts):
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "AAAA",
        cursor_of("a"),
        cursor_of(f"{DAY:%Y-%m-%d}", str(NOBODY), "k", "s"),
        cursor_of("0001-01-01T00:00:00+14:00", str(NOBODY), "k", "s"),
        cursor_of(DAY.isoformat(), str(NOBODY), "k", "half a character: \ud800"),
        cursor_of(DAY.isoformat(), str(NOBODY), "k", "\0"),
        cursor_of(DAY.isoformat(), str(NOBODY), 1, 2),
    ],
)
def test_an_invalid_cursor_is_named(support, cursor):
    assert support.refused("playtime", "anomalies", "--cursor", cursor) == (2, "VALIDATION_ERROR")
    assert support.refused("playtime", "show", uuid4(), "--cursor", cursor) == (2, "VALIDATION_ERROR")


def test_a_correction_is_seen_by_the_player_and_taken_back(support, player):
    player.imports((DAY, 10, "long"))
    ran = support.run("playtime", "correct", player.id, player.game, "--take", "8h30m")
    assert ran.code == 0
    assert f"{TITLE}: 10h 00m 00s in total; with -8h 30m 00s it is 1h 30m 00s." in ran.err
    assert "corrected_seconds" in ran.out
    assert player.sees() == 10 * HOUR

    words = ("playtime", "correct", player.id, player.game, "--take", "8h30m")
    done = support.applies(*words, reason="a stuck launcher")
    assert (done["before"], done["after"]) == ({"corrected_seconds": 0}, {"corrected_seconds": -30600})
    assert done["can_undo"]
    assert player.sees() == 5400
    shown = support.shows("playtime", "show", player.id)
    for part in ("1h 30m 00s", "-8h 30m 00s", "a stuck launcher", "10h 00m 00s"):
        assert part in shown
    [correction] = support.data("playtime", "show", player.id)["corrections"]
    assert (correction["seconds"], correction["reason"], correction["title"]) == (-30600, "a stuck launcher", TITLE)

    player.imports((DAY + timedelta(days=1), 1, "played on"), device="desk")  # which prevents no undo
    undone = support.applies("audit", "undo", done["audit_id"])
    assert undone["after"] == {"corrected_seconds": 0}
    assert player.sees() == 11 * HOUR
    assert support.refused("audit", "undo", done["audit_id"], "--apply", "--reason", "twice at once") == (
        4,
        "PRECONDITION_FAILED",
    )


def test_a_correction_that_was_overtaken_is_neither_made_nor_taken_back(support, player):
    add = ("playtime", "correct", player.id, player.game, "--add", "1h")
    seen = support.data(*add)["revision"]
    done = support.applies(*add)
    other = support.applies(*add, reason="an hour of another device")
    words = (*add, "--apply", "--reason", "as seen in the dry run", "--revision", seen)
    assert support.refused(*words) == (4, "PRECONDITION_FAILED")
    ran = support.run("audit", "undo", done["audit_id"], "--apply", "--reason", "it was too much")
    assert ran.code == 4
    assert '"expected":3600' in ran.err
    assert '"current":7200' in ran.err
    support.applies("audit", "undo", other["audit_id"])
    support.applies("audit", "undo", done["audit_id"])
    assert player.sees() == 0


def test_more_than_there_is_is_not_taken(support, player):
    player.imports((DAY, 2, "short"))
    ran = support.run(
        "playtime", "correct", player.id, player.game, "--take", "3h", "--apply", "--reason", "it was too much"
    )
    assert ran.code == 2
    assert f"{TITLE} was played for 2h 00m 00s" in ran.err
    assert "--take 7200s" in ran.err
    words = ("playtime", "correct", player.id, player.game, "--take", "3h")
    assert support.refused(*words) == (2, "VALIDATION_ERROR")
    assert player.sees() == 2 * HOUR


@pytest.mark.parametrize(
    "words", [(), ("--add", "1h", "--take", "1h"), ("--add", "0"), ("--take", "much"), ("--add", "")]
)
def test_how_much_has_to_be_said(support, player, words):
    ran = support.run("playtime", "correct", player.id, player.game, *words)
    assert ran.code == 2
    assert "Try:" in ran.err


async def breaks(platform, player):
    connection = await asyncpg.connect(platform.dsn)
    await connection.execute(
        "UPDATE playtime.playtime_totals SET played_seconds = 9720000, session_count = 7 WHERE user_id = $1", player.id
    )
    await connection.close()


def test_totals_are_recomputed_from_the_sessions(support, platform, player):
    player.imports((DAY, 2, "one"), (DAY + timedelta(hours=1), 2, "two"))
    done = support.data("playtime", "recompute", player.id)
    assert (done["before"], done["after"]) == ({}, {})
    ran = support.run("playtime", "recompute", player.id, "--product", player.game)
    assert "No difference" in ran.out
    assert "Nothing to change" in ran.err
    assert "--apply" not in ran.err

    asyncio.run(breaks(platform, player))
    shown = support.shows("playtime", "recompute", player.id)
    for part in ("total_seconds", "9720000", "10800", "session_count"):
        assert part in shown
    assert support.data("playtime", "show", player.id)["products"][0]["total_seconds"] == 9_720_000
    done = support.applies("playtime", "recompute", player.id)
    before, after = done["before"][str(player.game)], done["after"][str(player.game)]
    assert (before["total_seconds"], before["session_count"], before["wrong_intervals"]) == (9_720_000, 7, 0)
    assert (after["total_seconds"], after["session_count"], after["intervals"]) == (3 * HOUR, 2, 1)
    assert not done["can_undo"]
    assert player.sees() == 3 * HOUR
    assert support.data("playtime", "recompute", player.id)["before"] == {}


def test_a_correction_of_what_was_wrong_has_to_go_first(support, platform, player):
    player.imports((DAY, 2, "one"))
    asyncio.run(breaks(platform, player))
    support.applies("playtime", "correct", player.id, player.game, "--take", "2698h")
    ran = support.run("playtime", "recompute", player.id)
    assert ran.code == 4
    assert "corrections_exceed_play" in ran.err
    assert "-9712800" in ran.err


def test_only_staff_sees_or_changes_play(staff, player):
    somebody = staff("user", user_id=player.id)
    for words in (
        ("show", player.id),
        ("correct", player.id, player.game, "--add", "1h"),
        ("recompute", player.id),
        ("anomalies",),
    ):
        assert somebody.refused("playtime", *words) == (1, "PERMISSION_DENIED")


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_longer_than_the_terminal(staff, impossible, columns):
    somebody = staff("support")
    somebody.columns = columns
    for words in (("show", impossible.id), ("anomalies",), ("anomalies", "--user", impossible.id)):
        assert max(map(len, somebody.shows("playtime", *words).splitlines())) <= columns


def test_a_correction_that_is_repeated_is_made_once(support, staff, player):
    player.imports((DAY, 2, "evening"))
    correct = ("playtime", "correct", player.id, player.game, "--add", "1h")
    seen = support.data(*correct)["revision"]
    because = ("--apply", "--reason", "hours of a broken device")
    first = support.data(*correct, *because, "--revision", seen)
    assert support.data(*correct, *because, "--revision", seen)["audit_id"] == first["audit_id"]
    typed_again = support.run(*correct, *because)
    assert (typed_again.code, "this correction was made already" in typed_again.err) == (4, True)
    seen_now = support.data(*correct)["revision"]
    spaced = ("--apply", "--reason", " hours of a broken device ")
    for again in (because, spaced, (*because, "--revision", seen_now)):
        assert support.refused(*correct, *again) == (4, "PRECONDITION_FAILED")
    assert player.sees() == 3 * HOUR
    for somebody in (support, staff("support")):  # the second one may work on the same complaint
        assert somebody.refused(*correct, *because) == (4, "PRECONDITION_FAILED")
        assert "The newest correction is the same" in (said := somebody.run(*correct).err)
        assert "hours of a broken device" in said
    assert "The newest correction" not in support.run(*correct[:-1], "2h").err
    other = support.applies(*correct, reason="and those of the other device")
    support.applies("audit", "undo", other["audit_id"])
    assert player.sees() == 3 * HOUR
    support.applies("audit", "undo", first["audit_id"])
    assert support.run(*correct, *because).code == 0
    assert player.sees() == 3 * HOUR
