"""The first screen of a launcher, as far as it is about saves."""

from datetime import UTC, datetime, timedelta


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
