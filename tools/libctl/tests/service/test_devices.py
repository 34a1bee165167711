"""``libctl devices``: what is known of a user's devices."""

from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import wait_for
from websockets.sync.client import connect


def by_id(found):
    return {one["device_id"]: one for one in found["devices"]}


def test_a_device_that_lacks_a_newer_version_is_seen(saver, support, platform, execute):
    saver.save(b"one", device="pc")
    saver.save(b"two", device="deck", base_version=1)
    # Only uploads of sets name the device; what they store is the same.
    named = f"UPDATE savegames.savegame_uploads SET device_name = 'My PC' WHERE user_id = '{saver.id}'"
    execute(platform.dsn, f"{named} AND device_id = 'pc'")
    devices = by_id(support.data("devices", "list", saver.id))
    assert list(devices) == ["deck", "pc"]
    pc, deck = devices["pc"], devices["deck"]
    assert (pc["device_name"], pc["saves"], pc["saves_behind"]) == ("My PC", 1, 1)
    assert (deck["device_name"], deck["saves"], deck["saves_behind"]) == ("", 1, 0)
    assert pc["saves_synced_at"] < deck["saves_synced_at"] == deck["last_seen_at"]
    for columns in (80, 120):
        support.columns = columns
        shown = support.shows("devices", "list", saver.id)
        for words in ("pc, My PC", "saves: 1, 1 of them outdated", "saves: 1, all up to date"):
            assert words in shown
        assert max(map(len, shown.splitlines())) <= columns


def test_that_only_the_devices_seen_last_are_shown_is_said(saver, support, monkeypatch):
    saver.save(b"one", device="pc")
    assert "At most" not in support.run("devices", "list", saver.id).err
    monkeypatch.setattr("gameshelf.libctl.commands.devices._MOST_DEVICES", 1)
    assert "At most 1 devices are shown" in support.run("devices", "list", saver.id).err


def test_a_device_that_plays_has_its_newest_session_and_heartbeat(saver, support):
    def desk():
        return by_id(support.data("devices", "list", saver.id))["desk"]

    started = saver.post("/playtime/sessions/start", product_id=str(saver.product), device_id="desk", platform="linux")
    session = started.json()["data"]["id"]
    first = desk()
    assert (first["session_id"], first["platform"], first["product_id"]) == (session, "linux", str(saver.product))
    assert first["session_ended_at"] is None
    assert saver.http.post(f"/playtime/sessions/{session}/heartbeat").status_code == 204
    wait_for(lambda: desk()["last_heartbeat_at"] > first["last_heartbeat_at"])
    assert "last heartbeat 0h 00m" in support.shows("devices", "list", saver.id)
    assert saver.http.post(f"/playtime/sessions/{session}/end").status_code == 200
    assert desk()["session_ended_at"]
    assert "last session" in support.shows("devices", "list", saver.id)


def test_an_open_connection_is_seen(saver, support, service):
    before = support.data("devices", "list", saver.id)
    assert (before["connections"], before["connected_instances"]) == ([], 0)

    def seen():
        found = support.data("devices", "list", saver.id)
        return found if found["connected_instances"] else None

    token = {"Authorization": saver.http.headers["Authorization"]}
    with connect(service.ws, additional_headers=token, proxy=None) as socket:
        socket.recv()
        found = wait_for(seen)
        assert "has every event" in support.shows("devices", "list", saver.id)
    [one] = found["connections"]
    assert (one["events_behind"], found["connected_instances"]) == (0, 1)


def test_a_user_without_devices_has_none(support, admin, saver):
    assert "devices: none" in support.shows("devices", "list", uuid4())
    saver.save(b"one")
    admin.applies("user", "erase", saver.id, "--confirm", saver.id)
    assert support.refused("devices", "list", saver.id) == (3, "NOT_FOUND")


@pytest.mark.parametrize("wrong", ["", "nobody"])
def test_what_can_be_no_user_is_a_mistake(support, wrong):
    assert support.refused("devices", "list", wrong)[0] == 2
