"""Playing over REST: a session from its start to its end, however it ends, and what the library shows of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import websockets
from gameshelf.devstack.answers import code_of
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

SESSIONS = "/playtime/sessions"
BEATS = {204, 503}
"""Answers to a heartbeat of a session that runs. 503: Redis was waited for too long, and the next one will do."""


@pytest.fixture(scope="module")
def service(platform):
    """A service in which sessions die after six silent seconds."""
    made = platform.service(PLAYTIME_HEARTBEAT_INTERVAL_SECONDS="1", PLAYTIME_SESSION_TIMEOUT_SECONDS="6")
    made.start()
    return made


@pytest.fixture
async def game(player, wait_until):
    """A game that the player owns."""
    product = uuid4()
    await player.buys(product, purchaseTimestamp="2026-01-01T00:00:00Z")
    await wait_until(player.products)
    return product


async def start(player, product, **more):
    response = await player.post(f"{SESSIONS}/start", {"product_id": str(product), **more})
    assert response.status_code in (200, 201), response.text
    return response.json()["data"]


async def item(player):
    [found] = (await player.get("/items"))["data"]
    return found["attributes"]


async def test_a_session_from_start_to_end_counts_in_the_library(player, game):
    session = await start(player, game, device_id="deck", platform="linux")
    assert session["attributes"]["status"] == "active"
    assert (await item(player))["last_played_at"] == session["attributes"]["start_time"]
    assert (await player.post(f"{SESSIONS}/{session['id']}/heartbeat")).status_code == 204
    ended = await player.post(f"{SESSIONS}/{session['id']}/end")
    assert ended.status_code == 200
    completed = ended.json()["data"]["attributes"]
    assert (completed["status"], completed["end_reason"]) == ("completed", "completed")
    assert (await player.post(f"{SESSIONS}/{session['id']}/end")).json() == ended.json()
    shown = await item(player)
    assert (shown["total_playtime_seconds"], shown["last_played_at"]) == (
        completed["duration_seconds"],
        completed["end_time"],
    )
    late = await player.post(f"{SESSIONS}/{session['id']}/heartbeat")
    assert code_of(late) == (409, "SESSION_ALREADY_ENDED")
    assert late.json()["errors"][0]["meta"] == {"end_time": completed["end_time"], "end_reason": "completed"}
    [summary] = (await player.get("/playtime"))["data"]
    assert summary["attributes"]["session_count"] == 1
    [listed] = (await player.get(SESSIONS))["data"]
    assert listed["attributes"] == {**completed, "title": None, "cover_image_url": None}
    assert (await player.get(f"{SESSIONS}/{session['id']}"))["data"] == listed


async def test_a_session_is_found_by_its_owner_alone(player, new_player, game):
    session = await start(player, game)
    assert (await player.get(f"{SESSIONS}/{session['id']}"))["data"]["attributes"]["status"] == "active"
    for who, session_id in ((new_player(), session["id"]), (player, uuid4()), (player, "none")):
        answer = await who.http.get(f"{SESSIONS}/{session_id}")
        assert answer.status_code == 404
        assert code_of(answer)[1] == ("NOT_FOUND" if session_id == "none" else "SESSION_NOT_FOUND")


async def test_a_summary_distinguishes_platforms(player, game):
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    elements = []
    for number, (platform, minutes) in enumerate((("linux", 30), ("linux", 60), ("windows", 10), (None, 5))):
        times = {"start_time": (end - timedelta(minutes=minutes)).isoformat(), "end_time": end.isoformat()}
        named = {"platform": platform} if platform else {}
        elements.append({"client_session_id": str(number), "product_id": str(game), **times, **named})
    assert (await player.post(f"{SESSIONS}/import", {"sessions": elements})).status_code == 200
    found = await player.get("/playtime", by="platform", limit=2)
    more = await player.get("/playtime", by="platform", limit=2, page=2)
    assert (found["meta"]["total_items"], "by=platform" in found["links"]["next"]) == (3, True)
    shown = [*found["data"], *more["data"]]
    assert {one["type"] for one in shown} == {"platformPlaytime"}
    assert [one["id"] for one in shown] == [f"{game}:linux", f"{game}:windows", f"{game}:"]
    figures = [
        [one["attributes"][name] for name in ("platform", "total_playtime_seconds", "session_count", "title")]
        for one in shown
    ]
    assert figures == [["linux", 3600, 2, None], ["windows", 600, 1, None], [None, 300, 1, None]]
    refused = await player.http.get("/playtime", params={"by": "device"})
    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"parameter": "by"})


async def test_a_second_start_on_a_device_finds_the_running_session(player, game):
    first = await player.post(f"{SESSIONS}/start", {"product_id": str(game)})
    again = await player.post(f"{SESSIONS}/start", {"product_id": str(game)})
    elsewhere = await player.post(f"{SESSIONS}/start", {"product_id": str(game), "device_id": "deck"})
    assert (first.status_code, again.status_code, elsewhere.status_code) == (201, 200, 201)
    assert first.json() == again.json() != elsewhere.json()


async def test_a_session_without_heartbeats_ends_at_its_last_one(player, game, wait_until):
    silent, loud = await start(player, game), await start(player, game, device_id="deck")

    async def silent_ended():
        assert (await player.post(f"{SESSIONS}/{loud['id']}/heartbeat")).status_code in BEATS
        sessions = {one["id"]: one["attributes"] for one in (await player.get(SESSIONS))["data"]}
        return sessions if sessions[silent["id"]]["status"] == "completed" else None

    sessions = await wait_until(silent_ended)
    ended = sessions[silent["id"]]
    assert (ended["end_reason"], ended["duration_seconds"]) == ("timeout", 0)
    assert sessions[loud["id"]]["status"] == "active"
    assert code_of(await player.post(f"{SESSIONS}/{silent['id']}/heartbeat")) == (409, "SESSION_ALREADY_ENDED")


async def test_nobody_touches_another_players_session(player, new_player, game):
    session, stranger = await start(player, game), new_player()
    for call in ("heartbeat", "end"):
        assert code_of(await stranger.post(f"{SESSIONS}/{session['id']}/{call}")) == (404, "SESSION_NOT_FOUND")
    denied = await stranger.post(f"{SESSIONS}/start", {"product_id": str(game)})
    assert code_of(denied) == (403, "PERMISSION_DENIED")


async def test_a_refund_ends_what_runs_of_the_game(player, wait_until):
    bought = await player.buys(uuid4())
    await wait_until(player.products)
    session = await start(player, bought.data["items"][0]["productId"])
    await player.publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data))

    async def ended():
        [listed] = (await player.get(SESSIONS))["data"]
        return listed["attributes"]["end_reason"]

    assert await wait_until(ended) == "access_revoked"
    assert code_of(await player.post(f"{SESSIONS}/{session['id']}/heartbeat")) == (409, "SESSION_ALREADY_ENDED")


async def test_sessions_played_offline_are_taken_over_once(player, game):
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def played(name, minutes, product=game, **more):
        times = {"start_time": (end - timedelta(minutes=minutes)).isoformat(), "end_time": end.isoformat()}
        return {"client_session_id": name, "product_id": str(product), **times, **more}

    sent = [played("one", 60), played("two", 30), played("foreign", 5, uuid4()), played("long", 60 * 25)]
    response = await player.post(f"{SESSIONS}/import", {"sessions": sent})
    assert response.status_code == 200, response.text
    results = [(one["id"], one["attributes"]["result"], one["attributes"]["code"]) for one in response.json()["data"]]
    assert results == [
        ("one", "accepted", None),
        ("two", "accepted", None),
        ("foreign", "rejected", "PERMISSION_DENIED"),
        ("long", "rejected", "VALIDATION_ERROR"),
    ]
    again = await player.post(f"{SESSIONS}/import", {"sessions": [played("one", 60), played("two", 31)]})
    outcomes = [(one["attributes"]["result"], one["attributes"]["code"]) for one in again.json()["data"]]
    assert outcomes == [("duplicate", None), ("rejected", "IDEMPOTENCY_KEY_REUSED")]
    assert (await item(player))["total_playtime_seconds"] == 3600
    for offset in ("+03:00", "-11:30"):
        shifted = (await player.get("/playtime/daily", tz=offset))["data"]
        assert sum(day["attributes"]["playtime_seconds"] for day in shifted) == 3600
    unescaped = await player.http.get("/playtime/daily?tz=+03:00")
    assert unescaped.json() == await player.get("/playtime/daily", tz="Europe/Moscow")
    days = (await player.get("/playtime/daily", tz="Europe/Moscow"))["data"]
    assert sum(day["attributes"]["playtime_seconds"] for day in days) == 3600


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"tz": "Mars/Base"}, "tz"),
        ({"tz": "localtime"}, "tz"),
        ({"tz": "posixrules"}, "tz"),
        ({"tz": "Factory"}, "tz"),
        ({"tz": "+3"}, "tz"),
        ({"tz": "+15:00"}, "tz"),
        ({"tz": "+03:60"}, "tz"),
        ({"since": "2026-05-02", "until": "2026-05-01"}, "since"),
        ({"since": "2024-01-01", "until": "2026-05-01"}, "since"),
        ({"until": "0001-01-01"}, "until"),
        ({"since": "yesterday"}, "since"),
    ],
)
async def test_a_bad_stretch_of_days_is_refused_by_name(player, query, parameter):
    response = await player.http.get("/playtime/daily", params=query, headers={"Accept-Language": "en"})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["source"] == {"parameter": parameter}
    assert error["detail"] != "This value is not allowed."


async def test_devices_and_other_services_receive_sessions(platform, service, player, game, next_message, read_records):
    headers = {"Authorization": f"Bearer {player.token}"}
    async with websockets.connect(service.ws, additional_headers=headers) as socket:
        await next_message(socket, greeting=True)
        session = await start(player, game, device_id="deck")
        assert (await next_message(socket))["event_type"] == "playtime.session.started"
        updated = await next_message(socket)
        assert updated["payload"]["changes"]["last_played_at"] == session["attributes"]["start_time"]
        await player.post(f"{SESSIONS}/{session['id']}/end")
        received = [await next_message(socket) for _ in range(2)]
    ended, updated = received
    assert (ended["event_type"], ended["payload"]["session_id"]) == ("playtime.session.ended", session["id"])
    assert updated["payload"]["changes"]["total_playtime_seconds"] == ended["payload"]["total_playtime_seconds"]

    def about_session(records):
        documents = [json.loads(record.value) for record in records]
        return [one for one in documents if one["data"].get("sessionId") == session["id"]]

    records = await read_records(
        platform, "com.platform.library.events.v1", lambda found: len(about_session(found)) == 2
    )
    began, over = about_session(records)
    assert began["type"] == "com.platform.library.playtime.session.started.v1"
    assert over["type"] == "com.platform.library.playtime.session.ended.v1"
    assert over["data"]["endReason"] == "completed"


@pytest.mark.long
async def test_after_a_kill_the_session_continues_or_ends_at_its_last_heartbeat(
    platform, service, new_player, wait_until
):
    settings = {"PLAYTIME_HEARTBEAT_INTERVAL_SECONDS": "1", "PLAYTIME_SESSION_TIMEOUT_SECONDS": "6"}
    mortal = platform.service(**settings)
    mortal.start()
    silent, loud = new_player(at=mortal), new_player(at=mortal)
    sessions, beaten = {}, {}
    for player in (silent, loud):
        product = uuid4()
        await player.buys(product)
        await wait_until(player.products)
        sessions[player] = await start(player, product)
        before = datetime.now(UTC).replace(microsecond=0)
        assert (await player.post(f"{SESSIONS}/{sessions[player]['id']}/heartbeat")).status_code == 204
        beaten[player] = (before, datetime.now(UTC))
    elsewhere = new_player(user_id=loud.id)
    answers = []

    async def send_heartbeats():
        """Sends heartbeats to another instance, for as long as the killed one is away."""
        while True:
            answers.append((await elsewhere.post(f"{SESSIONS}/{sessions[loud]['id']}/heartbeat")).status_code)
            await asyncio.sleep(0.5)

    sending = asyncio.create_task(send_heartbeats())
    mortal.kill()
    await asyncio.to_thread(mortal.start)

    async def silent_ended():
        [listed] = (await silent.get(SESSIONS))["data"]
        return listed["attributes"] if listed["attributes"]["end_time"] else None

    ended = await wait_until(silent_ended)
    assert ended["end_reason"] == "timeout"
    earliest, latest = beaten[silent]
    assert earliest <= datetime.fromisoformat(ended["end_time"]) <= latest
    sending.cancel()
    assert 204 in answers
    assert set(answers) <= BEATS
    mortal.stop()


async def test_a_heartbeats_body_that_comes_late_does_not_cost_the_next_request(player, service, game):
    """The service does not read this body, but it belongs to its request."""
    session = await start(player, game)
    path = f"/api/v1/library{SESSIONS}/{session['id']}/heartbeat"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {player.token}\r\nContent-Length: 2\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", service.http_port)
    for _ in range(2):
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.write(b"{}")
        answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        assert answered.startswith(b"HTTP/1.1 204")
    writer.close()


async def test_a_session_that_can_not_be_read_is_rejected_by_itself(player, game):
    start = datetime.now(UTC).replace(microsecond=0)
    times = {"start_time": start.isoformat(), "end_time": (start + timedelta(seconds=60)).isoformat()}
    good = {"client_session_id": "good", "product_id": str(game), **times}
    bad = [
        {**good, "client_session_id": "time", "start_time": "0001-01-01T00:00:00Z"},
        {**good, "client_session_id": "product", "product_id": 5},
        {**good, "client_session_id": "field", "nonsense": 1},
        {**good, "client_session_id": ["x"]},
        {"client_session_id": "x" * 101},
        {},
        None,
        5,
    ]
    answer = await player.post(f"{SESSIONS}/import", {"sessions": [*bad, good]})
    assert answer.status_code == 200, answer.text
    results = [one["attributes"] for one in answer.json()["data"]]
    assert {(one["result"], one["code"]) for one in results[:-1]} == {("rejected", "VALIDATION_ERROR")}
    assert [one["client_session_id"] for one in results] == ["time", "product", "field", "", "", "", "", "", "good"]
    assert (results[-1]["result"], results[-1]["code"]) == ("accepted", None)
    nothing = await player.post(f"{SESSIONS}/import", {"sessions": []})
    assert nothing.status_code == 400
