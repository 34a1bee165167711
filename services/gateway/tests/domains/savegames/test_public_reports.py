"""Faults that players reported of other services' cloud saves, tried here: over REST, with a real object store."""

from uuid import uuid4

import pytest

CONFLICT = (409, "SAVEGAME_VERSION_CONFLICT")


async def conflicts(player):
    return (await player.get("/savegames/conflicts"))["data"]


async def resolve(player, conflict_id, resolution):
    answer = await player.post(f"/savegames/conflicts/{conflict_id}/resolve", {"resolution": resolution})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def pc(new_device):
    return new_device("pc")


@pytest.fixture
def deck(new_device):
    return new_device("deck")


@pytest.mark.parametrize("blank", [b"", b"default progress"])
async def test_a_fresh_installation_does_not_blank_out_the_save(player, pc, deck, data_of, refused, blank):
    """Steam Cloud and Proton: the first start on another system uploads an empty save over 70 hours."""
    savegame_id, _ = data_of(await pc.save(b"70 hours"))
    assert refused(await deck.save(blank, client_modified_at="2026-11-01T00:00:00Z")) == CONFLICT
    assert await pc.load(savegame_id) == b"70 hours"


@pytest.mark.parametrize("resolution", ["keep_local", "keep_cloud"])
async def test_a_conflict_is_over_once_it_was_resolved_and_both_devices_save_on(
    player, pc, deck, data_of, refused, resolution
):
    """Steam Cloud: after both devices were restored, every start asks again, whatever was chosen."""
    savegame_id, _ = data_of(await pc.save(b"one"))
    data_of(await pc.save(b"two"))
    assert refused(await deck.save(b"deck's own", base_version=1)) == CONFLICT
    [conflict] = await conflicts(player)
    await resolve(player, conflict["id"], resolution)
    for number, device in enumerate((deck, pc, deck, pc)):
        await device.load(savegame_id)
        data_of(await device.save(b"played on %d" % number))
    assert await conflicts(player) == []


async def test_the_same_file_on_a_device_that_never_synced_is_no_conflict(player, pc, deck, data_of):
    """RetroArch and Nextcloud: a conflict although both sides are the same."""
    data_of(await pc.save(b"one"))
    assert (await deck.save(b"one")).json()["meta"] == {"result": "identical"}
    assert (await deck.save(b"two")).json()["meta"] == {"result": "head"}
    assert await conflicts(player) == []


async def test_two_changes_of_one_size_in_one_second_are_a_conflict(player, pc, deck, data_of, refused):
    """ownCloud: sizes and times are equal, so nothing was noticed, and one of the two was lost."""
    savegame_id, _ = data_of(await pc.save(b"base"))
    await deck.load(savegame_id)
    at = {"client_modified_at": "2026-11-01T00:00:00Z"}
    data_of(await pc.save(b"AAAA", **at))
    assert refused(await deck.save(b"BBBB", **at)) == CONFLICT


async def test_a_later_clock_is_no_reason_to_overwrite(player, pc, deck, data_of, refused):
    """Heroic: the local file looked newer, and the cloud's was gone."""
    savegame_id, _ = data_of(await pc.save(b"one", client_modified_at="2026-01-01T00:00:00Z"))
    assert refused(await deck.save(b"older", client_modified_at="2026-06-01T00:00:00Z")) == CONFLICT
    assert await deck.load(savegame_id) == b"one"


async def test_what_was_downloaded_and_played_on_is_no_conflict(player, pc, deck, data_of):
    """Ludusavi: PC 2 replaces its files by the cloud's, plays, uploads, and gets a conflict."""
    savegame_id, _ = data_of(await pc.save(b"one"))
    for number in range(3):
        for device in (deck, pc):
            await device.load(savegame_id)
            data_of(await device.save(b"%s %d" % (device.name.encode(), number)))
    assert await conflicts(player) == []


async def test_files_in_conflict_do_not_grow_in_number(player, pc, deck, data_of, refused):
    """Syncthing: .sync-conflict files fill a disk of 30 GB in minutes."""
    savegame_id, _ = data_of(await pc.save(b"one"))
    data_of(await pc.save(b"two"))
    for number in range(25):
        assert refused(await deck.save(b"log %d" % number, base_version=1)) == CONFLICT
    assert len(await conflicts(player)) == 1
    found = (await player.get(f"/savegames/{savegame_id}/versions", limit=100))["data"]
    statuses = [one["attributes"]["status"] for one in found]
    assert (statuses.count("branch"), statuses.count("head")) == (1, 1)
    assert statuses.count("history") <= 10


async def test_what_was_deleted_on_the_website_is_not_uploaded_again(player, pc, data_of):
    """GOG by Heroic: the next start uploads what the player has just deleted."""
    savegame_id, _ = data_of(await pc.save(b"one"))
    assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
    for _ in range(3):
        upload = await pc.request_upload(b"one")
        assert upload["upload_required"] is False
        assert (await pc.confirm(upload)).json()["meta"] == {"result": "deleted"}
    assert (await player.get("/savegames"))["data"] == []


async def test_what_has_not_changed_is_not_sent_again(player, pc, data_of):
    """GOG by GameNative: each start uploads all files again, and their times move on."""
    savegame_id, first = data_of(await pc.save(b"one"))
    for _ in range(3):
        upload = await pc.request_upload(b"one")
        assert upload["upload_required"] is False
        data_of(await pc.confirm(upload))
    after = (await player.get(f"/savegames/{savegame_id}"))["data"]["attributes"]
    assert after["server_uploaded_at"] == first["server_uploaded_at"]


async def test_a_session_that_was_cut_off_keeps_its_save(player, pc, deck, data_of, refused):
    """GOG by Unifideck: the battery died before the upload; the next start overwrites 49 files by the cloud's 13."""
    savegame_id, _ = data_of(await pc.save(b"one"))
    await deck.load(savegame_id)
    await deck.request_upload(b"never sent")
    data_of(await pc.save(b"two"))
    assert refused(await deck.save(b"a week later")) == CONFLICT
    [conflict] = await conflicts(player)
    await resolve(player, conflict["id"], "keep_both")
    found = {one["attributes"]["slot_name"] for one in (await player.get("/savegames"))["data"]}
    assert found == {"slot", "slot (conflict v4)"}


async def test_a_name_with_an_accent_is_one_save_on_every_system(player, pc, deck, data_of):
    """Syncthing and Nextcloud on macOS: the same name, composed there and decomposed here, is two files."""
    composed, decomposed = "Pok\u00e9mon", "Poke\u0301mon"
    savegame_id, _ = data_of(await pc.save(b"one", composed))
    await deck.load(savegame_id)
    found, _ = data_of(await deck.save(b"two", decomposed))
    assert found == savegame_id
    assert (await player.get("/savegames", product_id=str(uuid4())))["data"] == []
