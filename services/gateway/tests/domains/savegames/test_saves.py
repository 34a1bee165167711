"""Cloud saves from the first upload to the last deletion, over REST and a real object store."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest


async def tree(player, savegame_id):
    found = await player.get(f"/savegames/{savegame_id}/versions", limit=100)
    return {
        one["attributes"]["version"]: (
            one["attributes"]["parent_version"],
            one["attributes"]["merged_version"],
            one["attributes"]["status"],
        )
        for one in found["data"]
    }


async def test_a_save_goes_from_one_machine_to_another(player, new_device, data_of):
    pc, deck = new_device("pc"), new_device("deck")
    content = os.urandom(300_000)
    savegame_id, made = data_of(
        await pc.save(
            content,
            "Глава 1",
            comment="before the dragon",
            playtime_seconds=3600,
            client_modified_at="2026-05-20T12:00:00Z",
            content_encoding="gzip",
            encryption={"scheme": "age", "key_id": "k1"},
        )
    )
    assert (made["version"], made["parent_version"], made["slot_name"], made["device_id"]) == (1, 0, "Глава 1", "pc")
    assert made["encryption"] == {"scheme": "age", "key_id": "k1"}
    [head] = (await player.get("/savegames", product_id=str(pc.product)))["data"]
    assert (head["id"], {**head["attributes"], **made}) == (savegame_id, head["attributes"])
    # A signed download proves nothing yet, as it may break off; the device reports itself that it has the bytes.
    signed = await player.get(f"/savegames/{savegame_id}/download-url", device_id="deck")
    assert signed["data"]["attributes"]["version"] == 1
    assert (await deck.request_upload(b"played on", "Глава 1"))["conflict_expected"]
    assert await deck.load(savegame_id) == content
    _, second = data_of(await deck.save(b"played on", "Глава 1"))
    assert (second["version"], second["parent_version"]) == (3, 1)  # number 2 was given to the request for an upload
    assert await pc.load(savegame_id) == b"played on"
    assert await pc.load(savegame_id, 1) == content
    assert await player.saved_bytes() == (300_009, 0)


async def test_what_is_there_is_not_uploaded_again(player, device, data_of):
    data_of(await device.save(b"once"))
    other, _ = data_of(await device.save(b"once", "other"))
    upload = await device.request_upload(b"once", "third")
    assert (upload["upload_required"], upload["upload_url"]) == (False, None)
    data_of(await device.confirm(upload))
    again = await device.save(b"once")
    assert (again.json()["meta"], data_of(again)[1]["version"]) == ({"result": "identical"}, 1)
    assert await player.saved_bytes() == (4, 0)
    assert await device.load(other) == b"once"


async def test_two_devices_that_played_apart_keep_both(player, new_device, data_of, refused):
    pc, deck = new_device("pc"), new_device("deck")
    savegame_id, _ = data_of(await pc.save(b"start"))
    await deck.load(savegame_id)
    data_of(await pc.save(b"pc resumed"))
    upload = await deck.request_upload(b"deck resumed")
    assert upload["conflict_expected"]
    await deck.put(upload, b"deck resumed")
    conflicted = await deck.confirm(upload)
    assert refused(conflicted) == (409, "SAVEGAME_VERSION_CONFLICT")
    meta = conflicted.json()["errors"][0]["meta"]
    assert (meta["head"]["attributes"]["version"], meta["branch"]["attributes"]["version"]) == (2, 3)
    again = await deck.confirm(upload)
    assert (refused(again), again.json()["errors"][0]["meta"]) == (refused(conflicted), meta)
    [listed] = (await player.get("/savegames/conflicts"))["data"]
    assert listed["id"] == meta["conflict_id"]
    resolved = await player.post(f"/savegames/conflicts/{listed['id']}/resolve", {"resolution": "keep_local"})
    assert data_of(resolved)[1]["version"] == 4
    assert await tree(player, savegame_id) == {
        1: (0, None, "history"),
        2: (1, None, "history"),
        3: (1, None, "history"),
        4: (2, 3, "head"),
    }
    assert await pc.load(savegame_id) == b"deck resumed"
    assert await pc.load(savegame_id, 2) == b"pc resumed"


async def test_resolving_what_has_moved_on_is_refused_with_a_fresh_description(player, new_device, data_of, refused):
    pc, deck = new_device("pc"), new_device("deck")
    data_of(await pc.save(b"start"))
    data_of(await pc.save(b"two"))
    meta = (await deck.save(b"three", base_version=1)).json()["errors"][0]["meta"]
    data_of(await pc.save(b"four"))
    path = f"/savegames/conflicts/{meta['conflict_id']}/resolve"
    late = await player.post(path, {"resolution": "keep_cloud"})
    assert refused(late) == (409, "SAVEGAME_VERSION_CONFLICT")
    assert late.json()["errors"][0]["meta"]["head"]["attributes"]["version"] == 4
    both = await player.post(path, {"resolution": "keep_both"})
    assert data_of(both)[1]["version"] == 4
    copy = both.json()["meta"]["copy_savegame_id"]
    assert await pc.load(copy) == b"three"
    assert (await player.get(f"/savegames/{copy}"))["data"]["attributes"]["slot_name"] == "slot (conflict v3)"
    assert refused(await player.post(path, {"resolution": "keep_both"})) == (404, "CONFLICT_NOT_FOUND")


@pytest.mark.parametrize(("policy", "winner"), [("longest_playtime", b"deck"), ("most_recent", b"pc")])
async def test_a_policy_resolves_at_once(player, new_device, data_of, policy, winner):
    pc, deck = new_device("pc"), new_device("deck")
    savegame_id, _ = data_of(await pc.save(b"start"))
    data_of(await pc.save(b"pc", playtime_seconds=10, client_modified_at="2026-05-20T13:00:00Z"))
    more = {"playtime_seconds": 20, "client_modified_at": "2026-05-20T12:00:00Z"}
    resolved = await deck.save(b"deck", base_version=1, conflict_policy=policy, **more)
    assert data_of(resolved)[1]["version"] == 4
    assert resolved.json()["meta"]["resolution"] == ("keep_local" if winner == b"deck" else "keep_cloud")
    assert await pc.load(savegame_id) == winner
    assert (await player.get("/savegames/conflicts"))["data"] == []


async def test_history_can_be_restored_pinned_and_described(player, device, data_of, refused):
    savegame_id, _ = data_of(await device.save(b"one"))
    data_of(await device.save(b"two"))
    _, restored = data_of(await player.post(f"/savegames/{savegame_id}/restore", {"version": 1}))
    assert (restored["version"], restored["parent_version"]) == (3, 2)
    assert await device.load(savegame_id) == b"one"
    path = f"/savegames/{savegame_id}/versions/2"
    _, pinned = data_of(await player.patch(path, {"is_pinned": True, "comment": "the best"}))
    assert (pinned["is_pinned"], pinned["comment"], pinned["status"]) == (True, "the best", "history")
    assert refused(await player.patch(f"/savegames/{savegame_id}/versions/9", {})) == (
        404,
        "SAVEGAME_VERSION_NOT_FOUND",
    )
    assert refused(await player.post(f"/savegames/{savegame_id}/restore", {"version": 9}))[0] == 404
    assert (await player.http.patch(f"/savegames/{savegame_id}/versions/99999999999999999999")).status_code == 404


async def test_a_deleted_save_can_be_brought_back_beside_a_new_one(player, device, data_of, refused):
    savegame_id, _ = data_of(await device.save(b"one"))
    assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
    assert refused(await player.http.get(f"/savegames/{savegame_id}")) == (404, "SAVEGAME_SLOT_NOT_FOUND")
    [trashed] = (await player.get("/savegames", trashed="true"))["data"]
    assert trashed["id"] == savegame_id
    new_id, made = data_of(await device.save(b"new"))
    assert (new_id != savegame_id, made["version"]) == (True, 2)  # no number is given twice under a name
    _, back = data_of(await player.post(f"/savegames/{savegame_id}/undelete"))
    assert back["slot_name"] == "slot (2)"
    assert await player.saved_bytes() == (6, 0)
    assert (await player.http.delete(f"/savegames/{savegame_id}?permanent=true")).status_code == 204
    assert await player.saved_bytes() == (3, 0)
    assert refused(await player.post(f"/savegames/{savegame_id}/undelete"))[0] == 404


async def test_somebody_elses_saves_are_not_there(device, new_player, data_of, refused):
    savegame_id, _ = data_of(await device.save(b"mine"))
    upload = await device.request_upload(b"more")
    stranger = new_player()
    for path in ("", "/versions", "/download-url"):
        assert refused(await stranger.http.get(f"/savegames/{savegame_id}{path}")) == (404, "SAVEGAME_SLOT_NOT_FOUND")
    for response in (
        await stranger.post(f"/savegames/{savegame_id}/restore", {"version": 1}),
        await stranger.post(f"/savegames/{savegame_id}/undelete"),
        await stranger.patch(f"/savegames/{savegame_id}/versions/1", {"is_pinned": True}),
        await stranger.http.delete(f"/savegames/{savegame_id}"),
        await stranger.post("/savegames/confirm-upload", {"internal_save_id": upload["internal_save_id"]}),
    ):
        assert response.status_code == 404
    assert await stranger.saved_bytes() == (0, 0)


async def test_signing_needs_access_and_the_rest_does_not(player, device, data_of, refused, wait_until):
    assert refused(await device.__class__(player, uuid4(), "pc", device.store).ask(b"x")) == (403, "PERMISSION_DENIED")
    lost = uuid4()
    bought = await player.buys(lost)
    await wait_until(lambda: owns(player, lost))
    there = type(device)(player, lost, "pc", device.store)
    savegame_id, _ = data_of(await there.save(b"saved"))
    await player.publish(type(bought)("com.platform.payment.purchase.refunded.v1", bought.data))
    await wait_until(lambda: lacks(player, lost))
    assert refused(await there.ask(b"more"))[0] == 403
    assert refused(await player.http.get(f"/savegames/{savegame_id}/download-url"))[0] == 403
    assert (await player.get(f"/savegames/{savegame_id}"))["data"]["attributes"]["version"] == 1
    assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204


async def owns(player, product):
    return str(product) in await player.products()


async def lacks(player, product):
    return str(product) not in await player.products()


async def test_urls_are_not_stored_and_not_renewed_without_need(player, device, platform):
    key = {"Idempotency-Key": "k1"}
    upload = (await device.ask(b"bytes", headers=key)).json()["data"]["attributes"]
    connection = await asyncpg.connect(platform.dsn)
    query = "SELECT body FROM gateway.idempotency_keys WHERE user_id = $1"
    [kept] = [json.loads(row["body"]) for row in await connection.fetch(query, player.id)]
    await connection.close()
    assert kept == {"data": {"type": "presignedUploadUrl", "id": upload["internal_save_id"]}}
    assert (await device.put(upload, b"bytes")).status_code == 200
    assert (await device.confirm(upload)).status_code == 200
    over = {"upload_url": None, "method": None, "headers": {}, "expires_in_seconds": 0}
    again = await device.ask(b"bytes", headers=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json()["data"]["attributes"] == {**upload, **over, "upload_required": False}
    cancelled = (await device.ask(b"other", headers={"Idempotency-Key": "k2"})).json()["data"]["attributes"]
    upload = f"/savegames/uploads/{cancelled['internal_save_id']}"
    assert (await player.http.delete(upload)).status_code == 204
    again = await device.ask(b"other", headers={"Idempotency-Key": "k2"})
    assert again.json()["data"]["attributes"] == {**cancelled, **over, "conflict_expected": False}


async def test_a_replayed_request_signs_the_same_reservation_afresh(player, device):
    key = {"Idempotency-Key": "k1"}
    first = await device.ask(b"bytes", headers=key)
    await asyncio.sleep(1.1)  # signatures have seconds
    again = await device.ask(b"bytes", headers=key)
    one, other = (response.json()["data"]["attributes"] for response in (first, again))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (one["internal_save_id"], one["upload_url"] != other["upload_url"]) == (other["internal_save_id"], True)
    assert (await device.put(other, b"bytes")).status_code == 200
    assert (await device.confirm(other, **{"Idempotency-Key": "k2"})).status_code == 200
    assert (await device.confirm(other, **{"Idempotency-Key": "k2"})).headers["Idempotency-Replayed"] == "true"
    assert await player.saved_bytes() == (5, 0)


async def test_a_screen_shows_how_each_device_stands_to_the_saves(player, device, new_device, data_of):
    deck, product = new_device("deck"), str(device.product)
    end = datetime.now(UTC) - timedelta(seconds=10)
    times = {"start_time": (end - timedelta(seconds=5)).isoformat(), "end_time": end.isoformat()}
    played = {"client_session_id": "1", "product_id": product, **times}
    assert (await player.post("/playtime/sessions/import", {"sessions": [played]})).status_code == 200

    async def shown(**params):
        found = (await player.get("/home", **params))["data"]["attributes"]
        [game] = found["continue_playing"]
        listed = await player.get("/items", include="saves", **params)
        assert listed["data"][0]["attributes"]["saves"] == game["attributes"]["saves"]
        return found, game["attributes"]["saves"]

    assert (await shown(device_id="pc"))[1] is None
    savegame_id, _ = data_of(await device.save(b"first"))
    for known, state in (({}, None), ({"device_id": "pc"}, "synced"), ({"device_id": "deck"}, "newer_elsewhere")):
        found, saves = await shown(**known)
        assert (saves["state"], saves["save_count"], saves["last_device_id"]) == (state, 1, "pc")
    await deck.load(savegame_id)
    assert (await shown(device_id="deck"))[1]["state"] == "synced"
    data_of(await device.save(b"second"))
    assert (await shown(device_id="deck"))[1]["state"] == "newer_elsewhere"
    assert (await deck.save(b"other")).status_code == 409
    found, saves = await shown(device_id="pc")
    assert (saves["state"], saves["conflict_count"], found["conflict_count"]) == ("conflict", 1, 1)
    [conflict] = found["conflicts"]
    [listed] = (await player.get("/savegames/conflicts"))["data"]
    assert (conflict["conflict_id"], conflict["product_id"]) == (listed["id"], product)
    assert (conflict["head_device_id"], conflict["branch_device_id"]) == ("pc", "deck")
    assert (found["storage"]["used_bytes"], found["storage"]["reserved_bytes"]) == await player.saved_bytes()
    resolved = await player.post(f"/savegames/conflicts/{listed['id']}/resolve", {"resolution": "keep_local"})
    assert resolved.status_code == 200
    assert (await shown(device_id="pc"))[0]["conflicts"] == []
    assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
    assert (await shown(device_id="pc"))[1] is None
