"""Settings of games over REST, gRPC, WebSocket and Kafka: layers, revisions, two devices at once, hostile bodies."""

import asyncio
import json
from uuid import uuid4

import grpc.aio
import pytest
from gameshelf.devstack.answers import code_of
from gameshelf.protos.library.v1 import game_settings_sync_service_pb2 as messages
from gameshelf.protos.library.v1.game_settings_sync_service_pb2_grpc import GameSettingsSyncServiceStub
from websockets.asyncio.client import connect

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def game(player, wait_until):
    """A game that the player owns."""
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    return product


def body(payload):
    return {"data": {"type": "gameSettings", "attributes": {"settings_payload": payload}}}


async def put(player, game, payload, query="", **headers):
    return await player.http.put(f"/settings/{game}{query}", json=body(payload), headers=headers)


def attributes(response):
    assert response.status_code in (200, 201), response.text
    return response.json()["data"]["attributes"]


async def test_settings_live_from_their_first_write_to_their_end(player, game):
    assert code_of(await player.http.get(f"/settings/{game}")) == (404, "SETTINGS_NOT_FOUND")
    made = await put(player, game, {"volume": 0.5, "keys": {"jump": "space"}})
    assert (made.status_code, made.headers["ETag"]) == (201, '"a1"')
    patch = await player.http.patch(f"/settings/{game}", json=body({"keys": {"jump": None, "run": "shift"}}))
    assert attributes(patch)["settings_payload"] == {"volume": 0.5, "keys": {"run": "shift"}}
    low = await put(player, game, {"volume": 0}, "?device_id=deck")
    assert attributes(low)["settings_layers"] == {"volume": "device", "keys": "account"}
    assert (low.headers["ETag"], attributes(low)["revision"]) == ('"a2.d3"', 3)
    shown = await player.http.get(f"/settings/{game}")
    assert (attributes(shown)["settings_payload"]["volume"], shown.headers["ETag"]) == (0.5, '"a2"')
    again = await player.http.get(f"/settings/{game}", headers={"If-None-Match": '"a2"'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await player.http.delete(f"/settings/{game}?device_id=deck")).status_code == 204
    assert (await player.http.delete(f"/settings/{game}", headers={"If-Match": '"a2"'})).status_code == 204
    assert code_of(await player.http.delete(f"/settings/{game}")) == (404, "SETTINGS_NOT_FOUND")
    assert code_of(await put(player, game, {}, "?platform=linux&device_id=deck")) == (400, "VALIDATION_ERROR")


async def test_the_second_of_two_concurrent_writers_gets_a_conflict(player, game):
    await put(player, game, {"volume": 0})
    written = [put(player, game, {"volume": number}, **{"If-Match": '"a1"'}) for number in range(1, 9)]
    answers = await asyncio.gather(*written)
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    [winner] = [answer.json()["data"] for answer in answers if answer.status_code == 200]
    for refused in (answer for answer in answers if answer.status_code == 412):
        [error] = refused.json()["errors"]
        assert error["code"] == "PRECONDITION_FAILED"
        current = error["meta"]["current"]["attributes"]
        assert current["settings_payload"] == winner["attributes"]["settings_payload"]
        assert current["revision"] == 2
    for stale in ('"7"', '"2"', '"a7"', '"d2"', 'W/"a2"', '"a2', "nonsense", f'"{"2" * 5000}"', '""', '"", "1"', ","):
        assert code_of(await put(player, game, {}, **{"If-Match": stale})) == (412, "PRECONDITION_FAILED")
    assert (await put(player, game, {}, **{"If-Match": '"a1", "a2"'})).status_code == 200
    assert code_of(await put(player, game, {}, **{"If-None-Match": "*"})) == (412, "PRECONDITION_FAILED")


async def test_without_if_match_the_last_one_wins_and_both_receive_both(
    player, game, service, next_message, read_records, platform
):
    headers = {"Authorization": f"Bearer {player.token}"}
    async with (
        connect(service.ws, additional_headers=headers) as one,
        connect(service.ws, additional_headers=headers) as other,
    ):
        for socket in (one, other):
            await next_message(socket, greeting=True)
        await asyncio.gather(put(player, game, {"from": "one"}), put(player, game, {"from": "other"}))
        for socket in (one, other):
            received = [await next_message(socket) for _ in range(2)]
            assert [message["event_type"] for message in received] == ["settings.updated"] * 2
            assert [message["payload"]["revision"] for message in received] == [1, 2]

    def both_published(records):
        values = [record.value for record in records if str(game).encode() in record.value]
        return sum(b"game.settings.updated" in value for value in values) == 2

    await read_records(platform, "com.platform.library.events.v1", both_published)


async def test_a_new_device_asks_what_there_is_and_removes_what_is_old(player, game):
    await put(player, game, {"volume": 1})
    for device in ("old", "deck"):
        await put(player, game, {"volume": 0}, f"?device_id={device}")
    for removed in ("", "old"):
        if removed:
            assert (await player.http.delete(f"/settings/{game}?device_id={removed}")).status_code == 204
        layers = (await player.get(f"/settings/{game}/layers"))["data"]
        names = [(one["attributes"]["layer"], one["attributes"]["device_id"]) for one in layers]
        assert names == [("account", None), ("device", "deck"), *([] if removed else [("device", "old")])]
    listed = await player.get("/settings", since="2026-01-01T00:00:00Z", limit=1)
    assert listed["meta"]["total_items"] == 1
    assert listed["data"][0]["attributes"]["overlay_count"] == 1
    assert "since=2026" in listed["links"]["self"]
    assert code_of(await player.http.get("/settings?since=yesterday")) == (400, "VALIDATION_ERROR")


async def test_writing_needs_access_and_reading_does_not(player, game, new_player, wait_until):
    assert code_of(await put(player, uuid4(), {})) == (403, "PERMISSION_DENIED")
    stranger = new_player()
    assert code_of(await stranger.http.get(f"/settings/{game}")) == (404, "SETTINGS_NOT_FOUND")
    bought = await player.buys(lost := uuid4())
    await wait_until(lambda: is_in(player, lost))
    await put(player, lost, {"a": 1})
    refund = type(bought)("com.platform.payment.purchase.refunded.v1", bought.data)
    await player.publish(refund)
    await wait_until(lambda: is_gone(player, lost))
    assert code_of(await put(player, lost, {"a": 2})) == (403, "PERMISSION_DENIED")
    assert attributes(await player.http.get(f"/settings/{lost}"))["settings_payload"] == {"a": 1}
    assert (await player.http.delete(f"/settings/{lost}")).status_code == 204


async def is_in(player, product):
    return str(product) in await player.products()


async def is_gone(player, product):
    return str(product) not in await player.products()


async def test_hostile_bodies_get_a_clear_error(player, game):
    async def send(content):
        return await player.http.put(f"/settings/{game}", content=content, headers=JSON)

    assert code_of(await send(json.dumps(body({"a": "x" * 10_000_000})))) == (413, "PAYLOAD_TOO_LARGE")
    large = await send(json.dumps(body({"a": "x" * 262_200})))
    assert code_of(large) == (413, "PAYLOAD_TOO_LARGE")
    assert large.json()["errors"][0]["meta"]["max_bytes"] == 262_144
    deep = '{"data": {"attributes": {"settings_payload": ' + '{"a":' * 10_000 + "1" + "}" * 10_003
    for content in (deep, json.dumps(body(json.loads('{"a":' * 33 + "1" + "}" * 33)))):
        refused = await send(content)
        assert code_of(refused) == (400, "VALIDATION_ERROR")
        assert "32" in refused.json()["errors"][0]["detail"]
    invalid = b'{"data": {"attributes": {"settings_payload": {"a": "\xff\xfe"}}}}'
    assert code_of(await send(invalid)) == (400, "MALFORMED_JSON")
    for number in ("1e999", "NaN", "-Infinity", str(10**30)):
        refused = await send(json.dumps(body({"a": "?"})).replace('"?"', number))
        assert code_of(refused) == (400, "VALIDATION_ERROR")
        assert refused.json()["errors"][0]["source"]["pointer"] == "/data/attributes/settings_payload/a"
    assert code_of(await put(player, game, [1])) == (400, "VALIDATION_ERROR")
    # As large as it may be, and in a form that takes three times as much.
    cyrillic = {"a": "ё" * 130_000}
    assert attributes(await send(json.dumps(body(cyrillic))))["settings_payload"] == cyrillic


async def test_other_calls_take_no_larger_bodies_than_before(player):
    large = {"name": "x" * 300_000}
    assert code_of(await player.post("/categories", large)) == (413, "PAYLOAD_TOO_LARGE")


async def test_games_read_and_write_over_grpc(player, game, service, caller, refusal):
    own, server = caller(player.id), caller(uuid4(), "service")
    ids = {"user_id": str(player.id), "product_id": str(game)}
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = GameSettingsSyncServiceStub(channel)

        def update(payload, metadata=own, **more):
            request = messages.UpdateGameSettingsRequest(**ids, settings_payload=payload, **more)
            return stub.UpdateGameSettings(request, metadata=metadata)

        def get(metadata=own, **more):
            return stub.GetGameSettings(messages.GetGameSettingsRequest(**ids, **more), metadata=metadata)

        assert await refusal(get()) == ("NOT_FOUND", "SETTINGS_NOT_FOUND")
        assert (await update('{"n": 9007199254740993}', expected_revision=0)).settings.revision == 1
        patched = await update('{"m": null, "k": 1}', mode=messages.UPDATE_MODE_MERGE_PATCH, platform="linux")
        assert json.loads(patched.settings.settings_payload) == {"n": 9007199254740993, "k": 1}
        assert json.loads(patched.settings.settings_layers) == {"n": "account", "k": "platform"}
        seen = await get(server, platform="linux")
        assert (seen.settings.revision, seen.settings.account_revision, seen.settings.platform_revision) == (2, 1, 2)
        assert await refusal(update("{}", expected_revision=2)) == ("FAILED_PRECONDITION", "PRECONDITION_FAILED")
        layers = await stub.ListSettingsLayers(messages.ListSettingsLayersRequest(**ids), metadata=own)
        assert [(one.layer, one.platform) for one in layers.layers] == [("account", ""), ("platform", "linux")]
        listing = messages.ListGameSettingsRequest(user_id=str(player.id))
        assert (await stub.ListGameSettings(listing, metadata=server)).games[0].overlay_count == 1
        assert (await refusal(stub.ListGameSettings(listing, metadata=caller(uuid4()))))[0] == "PERMISSION_DENIED"
        assert await refusal(update("{}", expected_revision=0)) == ("FAILED_PRECONDITION", "PRECONDITION_FAILED")
        assert await refusal(update("{}", server)) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
        assert await refusal(update("[]")) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
        assert await refusal(update("{")) == ("INVALID_ARGUMENT", "MALFORMED_JSON")
        assert await refusal(update('{"a":' * 5000)) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
        assert await refusal(update("{}", caller(uuid4()))) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
