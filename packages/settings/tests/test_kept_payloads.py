"""Payloads that were replaced or deleted are kept, within their limits, and can be restored."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from gameshelf.settings import (
    MAX_KEPT,
    MAX_KEPT_BYTES,
    MAX_OVERLAYS,
    Address,
    KeptPayloads,
    NewSettings,
    SettingsNotFound,
    SettingsService,
    prune_kept_payloads,
)

DECK = {"device_id": "deck"}
ALL = 1000


@pytest.fixture
def kept(player):
    async def kept(after=None, limit=ALL):
        return await KeptPayloads(player.connection).of_game(player.id, player.product, after, limit)

    return kept


async def restore(player, revision, at=None):
    settings, _ = await player.service.restore(player.id, player.product, Address(**at or {}), revision)
    return settings


async def test_what_a_write_replaces_is_kept_with_its_times(player, kept):
    await player.put({"volume": 1})
    assert await kept() == []
    written = player.now
    player.later(hours=1)
    await player.patch({"volume": 2})
    [first] = await kept()
    assert (first.layer, first.name, first.revision, first.ended_by) == ("account", "", 1, "replaced")
    assert (first.written_at, first.ended_at, first.size_bytes) == (written, player.now, len('{"volume": 1}'))
    await player.patch({"volume": 2})  # changes nothing
    assert len(await kept()) == 1


async def test_the_time_of_a_layer_is_unknown_after_a_change_of_another_one(player, kept):
    await player.put({"volume": 1})
    await player.put({"scale": 1}, DECK)
    written = player.now
    player.later(hours=1)
    await player.put({"volume": 2})
    await player.put({"scale": 2}, DECK)
    assert [(one.layer, one.name, one.revision, one.written_at) for one in await kept()] == [
        ("device", "deck", 2, written),
        ("account", "", 1, None),
    ]


async def test_of_each_layer_the_last_ones_are_kept(player, kept):
    for number in range(MAX_KEPT + 5):
        await player.put({"n": number})
    await player.put({"n": 0}, DECK)
    await player.put({"n": 1}, DECK)
    found = await kept()
    account = [one.revision for one in found if one.layer == "account"]
    assert account == list(range(MAX_KEPT + 4, 4, -1))
    assert [one.name for one in found if one.layer == "device"] == ["deck"]


async def test_the_payloads_of_a_layer_take_limited_space(player, kept):
    """Those that can't be compressed: the limit is about what PostgreSQL stores."""
    player.service = SettingsService(player.connection, player.events.append, player.access, lambda: player.now)
    noise = random.Random(1)
    sizes = [200_000, 200_000, 200_000, 200_000, 200_000, 200_000, 100_000, 1, 200_000]
    for number, size in enumerate(sizes):
        await player.put({"n": number, "noise": noise.randbytes(size // 2).hex()})
    found = await kept()
    assert [one.revision for one in found] == [8, 7, 6, 5, 4, 3]
    total = await player.connection.fetchval(
        "SELECT sum(stored_bytes) FROM settings.kept_payloads WHERE user_id = $1", player.id
    )
    assert MAX_KEPT_BYTES - 200_000 < total <= MAX_KEPT_BYTES


async def test_deleted_layers_are_kept(player, kept):
    await player.put({"volume": 1})
    await player.put({"scale": 1}, DECK)
    await player.put({"scale": 2}, {"platform": "linux"})
    await player.delete(DECK)
    assert [(one.name, one.ended_by) for one in await kept()] == [("deck", "deleted")]
    await player.delete()
    assert {(one.layer, one.name, one.ended_by) for one in await kept()} == {
        ("device", "deck", "deleted"),
        ("platform", "linux", "deleted"),
        ("account", "", "deleted"),
    }


@pytest.mark.parametrize("which", ["overlay", "account", "all"])
async def test_the_last_ones_of_a_layer_written_and_deleted_again_are_kept(player, kept, which):
    """A write of a new layer replaces nothing, so the deletion holds the limit."""
    written = []
    for number in range(MAX_KEPT + 3):
        written.append((await player.put({"n": number}, DECK if which == "overlay" else None)).revision)
        if which == "account":
            await player.service.delete_layer(player.id, player.product, Address())
        else:
            await player.put({"n": number}, {"platform": "linux"})
            await player.delete(DECK if which == "overlay" else None)
    layer = "device" if which == "overlay" else "account"
    assert [one.revision for one in await kept() if one.layer == layer] == written[: -MAX_KEPT - 1 : -1]
    assert max(Counter((one.layer, one.name) for one in await kept()).values()) == MAX_KEPT


async def test_a_layer_that_was_deleted_before_keeps_all_of_its_own(player, kept):
    for number in range(MAX_KEPT):
        await player.put({"n": number}, DECK)
        await player.delete(DECK)
    for _ in range(3):
        await player.put({"volume": 1})
        await player.delete()
    assert Counter(one.layer for one in await kept()) == {"device": MAX_KEPT, "account": 3}


async def test_the_payloads_of_a_deleted_layer_take_limited_space(player, kept):
    player.service = SettingsService(player.connection, player.events.append, player.access, lambda: player.now)
    noise = random.Random(1)
    for number in range(7):
        await player.put({"n": number, "noise": noise.randbytes(100_000).hex()}, DECK)
        await player.delete(DECK)
    total = await player.connection.fetchval(
        "SELECT sum(stored_bytes) FROM settings.kept_payloads WHERE user_id = $1", player.id
    )
    assert (len(await kept()), total <= MAX_KEPT_BYTES) == (5, True)


async def test_the_last_ones_of_an_overlay_evicted_repeatedly_are_kept(player, kept):
    await player.put({"n": 0}, DECK)
    revision = await player.connection.fetchval("SELECT revision FROM settings.game_specific_settings")
    await player.connection.execute(
        "INSERT INTO settings.kept_payloads SELECT user_id, product_id, 'device', 'deck', -n, '{}', 2, now(), now(), "
        "'deleted' FROM settings.game_specific_settings, generate_series(1, 10) n WHERE user_id = $1",
        player.id,
    )
    for number in range(MAX_OVERLAYS):
        player.later(seconds=1)
        await player.put({"n": number}, {"device_id": f"device {number:03}"})
    found = [one.revision for one in await kept() if one.name == "deck"]
    assert found == [revision, *range(-1, -MAX_KEPT, -1)]


async def test_an_evicted_overlay_is_kept_and_ever_new_ones_take_limited_space(player, kept):
    for number in range(MAX_OVERLAYS + 1):
        await player.put({"n": number}, {"device_id": f"device {number:03}"})
        player.later(seconds=1)
    assert [(one.name, one.ended_by) for one in await kept()] == [("device 000", "evicted")]
    await player.connection.execute(
        "INSERT INTO settings.kept_payloads SELECT user_id, product_id, kind, 'old ' || n, -n, settings_payload, "
        "stored_bytes, written_at, ended_at, ended_by FROM settings.kept_payloads, generate_series(1, 700) n "
        "WHERE user_id = $1",
        player.id,
    )
    await player.put({"n": 0}, {"device_id": "one more"})
    assert len(await kept()) == 641  # the limit is held before each one that is added


async def test_pages_have_each_payload_once(player, kept):
    await player.put({"volume": 1})
    for number in range(5):
        await player.put({"n": number}, {"device_id": f"device {number}"})
    # All layers have one revision after a change by a version that doesn't write those of layers.
    await player.connection.execute("UPDATE settings.game_specific_settings SET revision = 20")
    await player.delete()
    found, after = [], None
    while page := await kept(after, 2):
        found += page
        after = (page[-1].revision, page[-1].layer, page[-1].name)
    assert found == await kept()
    assert len(found) == 6


async def test_a_payload_is_restored_as_a_new_revision(player, kept):
    await player.put({"volume": 1, "keys": {"jump": "Space"}})
    await player.put({})
    player.events.clear()
    player.access.barred.add(player.product)
    restored = await restore(player, 1)
    assert (restored.payload, restored.revision) == ({"volume": 1, "keys": {"jump": "Space"}}, 3)
    assert [(event.revision, event.layer) for event in player.events] == [(3, "account")]
    assert [one.revision for one in await kept()] == [2, 1]


async def test_a_deleted_overlay_is_restored(player):
    await player.put({"volume": 1})
    await player.put({"scale": 1}, DECK)
    await player.delete()
    assert (await restore(player, 2, DECK)).payload == {"scale": 1}
    assert (await player.get(**DECK)).payload == {"scale": 1}
    assert (await restore(player, 1)).payload == {"volume": 1}
    assert (await player.get(**DECK)).payload == {"scale": 1, "volume": 1}


async def test_what_is_not_kept_is_not_restored(player):
    await player.put({"volume": 1})
    await player.put({"volume": 2})
    for revision, at in ((2, None), (7, None), (1, DECK)):
        with pytest.raises(SettingsNotFound):
            await restore(player, revision, at)
    other, _ = await player.service.restore(player.id, player.product, Address(), 1)
    assert other.payload == {"volume": 1}


async def test_expired_payloads_are_deleted_in_parts(player, kept):
    for number in range(5):
        await player.put({"n": number})
        player.later(days=1)
    before = player.now - timedelta(days=2)
    assert [await prune_kept_payloads(player.connection, before, 1) for _ in range(3)] == [1, 1, 0]
    assert [one.revision for one in await kept()] == [4, 3]


async def test_an_erasure_deletes_them(player, kept):
    for number in range(3):
        await player.put({"n": number})
    while await player.service.erase(player.id):
        pass
    assert await kept() == []


async def test_a_payload_is_kept_of_exactly_one_user(player, kept):
    await player.put({"volume": 1})
    mine, player.id = player.id, player.product
    await player.service.put(player.id, player.product, Address(), NewSettings(settings_payload={"volume": 5}))
    await player.service.put(player.id, player.product, Address(), NewSettings(settings_payload={"volume": 6}))
    assert len(await kept()) == 1
    player.id = mine
    assert await kept() == []
