"""Writing, reading and deleting layers on a real PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput, PermissionDenied
from gameshelf.settings import (
    MAX_OVERLAYS,
    GameFilter,
    LayerPrecondition,
    PreconditionFailed,
    SettingsNotFound,
    SettingsTooLarge,
)

LINUX, DECK = {"platform": "linux"}, {"device_id": "deck"}


async def test_settings_are_what_was_put(player):
    assert await player.get() is None
    written = await player.put({"volume": 0.5, "keys": ["w", "a"], "none": None})
    assert written == await player.get()
    assert (written.payload["volume"], written.revision, written.last_updated_at) == (0.5, 1, player.now)
    assert (await player.put({"volume": 1})).payload == {"volume": 1}
    assert [event.revision for event in player.events] == [1, 2]


async def test_the_same_again_changes_nothing_and_emits_nothing(player):
    await player.put({"a": 1, "b": {"c": [True]}})
    again = await player.put({"b": {"c": [True]}, "a": 1})
    assert (again.revision, len(player.events)) == (1, 1)
    assert (await player.put({"a": True, "b": {"c": [True]}})).revision == 2


async def test_large_numbers_are_read_as_they_were_put_and_are_the_same_again(player):
    numbers = {"a": [1e16, -1e17, 2.0**63, 2.0**64, 1e30, 1e-7, 5e-324, -0.0, 1.0, 2**64 - 1]}
    written = await player.put(numbers)
    assert written == await player.get()
    assert [type(one) for one in written.payload["a"]] == [type(one) for one in (await player.get()).payload["a"]]
    assert (await player.put(numbers)).revision == 1


async def test_a_patch_changes_what_it_names(player):
    assert (await player.patch({"a": {"b": 1}, "x": None})).payload == {"a": {"b": 1}}
    assert (await player.patch({"a": {"c": 2}})).payload == {"a": {"b": 1, "c": 2}}
    assert (await player.patch({"a": {"b": None}})).payload == {"a": {"c": 2}}


async def test_layers_merge_and_have_revisions_of_their_own(player):
    await player.put({"quality": "high", "volume": 1})
    assert (await player.put({"quality": "low"}, LINUX)).payload == {"quality": "low", "volume": 1}
    assert (await player.put({"volume": 0}, DECK)).revision == 3
    assert (await player.get()).payload == {"quality": "high", "volume": 1}
    both = await player.get(**LINUX, **DECK)
    assert both.payload == {"quality": "low", "volume": 0}
    assert both.layers == {"quality": "platform", "volume": "device"}
    assert (both.revisions.tag, both.revision) == ("a1.p2.d3", 3)
    assert (await player.get()).revisions.tag == "a1"
    assert (await player.get(platform="windows", **DECK)).revisions.tag == "a1.p0.d3"
    assert (await player.get(platform="windows")).layers == {"quality": "account", "volume": "account"}
    assert [(event.layer, event.platform, event.device_id) for event in player.events] == [
        ("account", None, None),
        ("platform", "linux", None),
        ("device", None, "deck"),
    ]


async def test_an_overlay_alone_is_settings_too(player):
    await player.put({"dpi": 800}, DECK)
    assert (await player.get()).payload == {}
    assert (await player.get(**DECK)).payload == {"dpi": 800}
    await player.delete(DECK)
    assert await player.get(**DECK) is None


async def test_a_write_names_one_layer(player):
    with pytest.raises(InvalidInput):
        await player.put({}, {**LINUX, **DECK})


async def test_deleting_one_layer_keeps_others_and_all_keep_the_revision(player):
    await player.put({"a": 1})
    await player.put({"a": 2}, LINUX)
    await player.delete(LINUX)
    assert (await player.get(**LINUX)).payload == {"a": 1}
    with pytest.raises(SettingsNotFound):
        await player.delete(LINUX)
    await player.put({"a": 2}, DECK)
    await player.delete()
    assert await player.get(**DECK) is None
    with pytest.raises(SettingsNotFound):
        await player.delete()
    assert player.events[-1].is_deleted
    # A revision that was read before the deletion must not match the new settings.
    assert (await player.put({"a": 1})).revision == 6


async def test_a_stale_writer_is_refused_with_the_current_state(player, read):
    await player.put({"a": 1})
    await player.put({"a": 2}, given=read("a1"))
    with pytest.raises(PreconditionFailed) as error:
        await player.patch({"b": 1}, given=read("a1"))
    assert (error.value.meta["current"].payload, error.value.meta["current"].revision) == ({"a": 2}, 2)
    with pytest.raises(PreconditionFailed):
        await player.delete(given=read("a1"))
    await player.delete(given=read("a2"))
    with pytest.raises(PreconditionFailed) as error:
        await player.put({}, given=read("a3"))
    assert error.value.meta["current"] is None
    with pytest.raises(PreconditionFailed):
        await player.put({}, given=LayerPrecondition())
    assert (await player.put({"a": 3}, given=LayerPrecondition(is_absent=True))).payload == {"a": 3}
    with pytest.raises(PreconditionFailed):
        await player.put({"a": 4}, given=LayerPrecondition(is_absent=True))


async def test_writing_needs_access_and_the_rest_does_not(player):
    await player.put({"a": 1})
    player.access.barred.add(player.product)
    for change in (player.put, player.patch):
        with pytest.raises(PermissionDenied):
            await change({"a": 2})
    assert (await player.get()).payload == {"a": 1}
    await player.delete()


async def test_a_layer_has_a_bound_also_when_patches_add_up(player):
    await player.put({"a": "x" * 900})
    with pytest.raises(SettingsTooLarge) as error:
        await player.patch({"b": "x" * 100})
    assert error.value.meta["max_bytes"] == 1000
    assert (await player.get()).revision == 1


@pytest.mark.parametrize("payload", [{"a": [0] * 500}, {str(n): 0 for n in range(501)}, {"a": [[0]] * 300}])
async def test_what_can_not_fit_is_refused_unseen(player, payload):
    for write in (player.put, player.patch):
        with pytest.raises(SettingsTooLarge) as error:
            await write({**payload, "wrong": float("nan")})
        assert error.value.meta == {"max_bytes": 1000}


async def test_as_many_values_as_fit_are_taken(player):
    fits = {"a": [0] * 495}  # 997 bytes
    assert (await player.put(fits)).payload == fits


async def test_a_device_s_own_overlay_is_no_change_of_another_layer(player, read):
    seen = await player.put({"a": 1})
    await player.put({"a": 2}, DECK)
    assert (await player.patch({"b": 1}, given=read(seen.revisions.tag))).revision == 3
    with pytest.raises(PreconditionFailed):
        await player.put({}, LINUX, given=read("a3"))  # a tag without that layer
    with pytest.raises(PreconditionFailed):
        await player.put({}, LINUX, given=LayerPrecondition())  # there is none
    assert (await player.put({}, LINUX, given=LayerPrecondition(is_absent=True))).revisions.tag == "a3.p4"
    with pytest.raises(PreconditionFailed):
        await player.delete(given=read("a3.p2"))
    await player.delete(given=read("a3.p4"))


async def test_one_overlay_too_many_replaces_the_least_recently_used(player):
    for number in range(MAX_OVERLAYS):
        await player.put({"n": number}, {"device_id": f"device {number}"})
        player.later(seconds=1)
    player.later(hours=2)
    await player.get(device_id="device 0")  # this one is in use
    player.events.clear()
    await player.put({}, {"device_id": "one more"})
    assert [(event.device_id, event.is_deleted) for event in player.events] == [("device 1", True), ("one more", False)]
    assert len({event.revision for event in player.events}) == 1
    left = {layer.name for layer in await player.queries.layers(player.id, player.product)}
    assert len(left) == MAX_OVERLAYS
    assert {"device 0", "one more"} <= left
    assert "device 1" not in left


async def test_layers_and_games_can_be_listed(player):
    await player.put({"n": 1}, DECK)
    await player.put({"n": 2})
    await player.put({"n": 3}, LINUX)
    found = await player.queries.layers(player.id, player.product)
    assert [(one.layer, one.name, one.revision) for one in found] == [
        ("account", None, 2),
        ("platform", "linux", 3),
        ("device", "deck", 1),
    ]
    other, deleted = uuid4(), player.product
    await player.delete()
    player.later(minutes=1)
    player.product, since = other, player.now
    await player.put({"n": 4}, LINUX)
    page = await player.queries.games(player.id, GameFilter())
    assert [(one.product_id, one.has_account_layer, one.overlay_count) for one in page.items] == [(other, False, 1)]
    changed = await player.queries.games(player.id, GameFilter(since=since - timedelta(minutes=1)))
    assert [(one.product_id, one.overlay_count) for one in changed.items] == [(other, 1), (deleted, 0)]
    assert (await player.queries.games(player.id, GameFilter(since=since))).total == 1
    assert await player.queries.layers(player.id, uuid4()) == []


async def test_what_the_release_before_writes_counts_as_a_change_of_every_layer(player, read):
    await player.put({"a": 1})
    await player.put({"a": 2}, DECK)
    await player.connection.execute(
        "UPDATE settings.game_specific_settings SET revision = revision + 1, settings_payload = '{\"a\": 3}'"
    )
    seen = await player.get(**DECK)
    assert seen.revisions.tag == "a3.d3"
    with pytest.raises(PreconditionFailed):
        await player.put({}, given=read("a1"))
    await player.put({"a": 4}, given=read(seen.revisions.tag))
    assert (await player.get(**DECK)).revisions.tag == "a4.d3"


async def test_a_read_is_a_synchronisation_at_most_once_a_minute(player):
    await player.put({"a": 1})
    began = player.now
    for seconds in (30, 29, 2, 30):
        player.later(seconds=seconds)
        await player.get()
    assert (await player.get()).last_synced_with_cloud_at == began + timedelta(seconds=61)
    assert (await player.get()).last_updated_at == began


async def test_erasing_a_user_leaves_nothing(player):
    await player.put({"a": 1})
    await player.put({"a": 2}, LINUX)
    while await player.service.erase(player.id, 1):
        pass
    assert await player.get() is None
    assert await player.connection.fetchval("SELECT count(*) FROM settings.game_specific_settings") == 0
