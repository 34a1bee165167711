"""Settings that several devices change at once."""

import asyncio

import pytest
from gameshelf.client import LibraryRefusal
from gameshelf.client.settings import layer_of


def count(payload):
    payload["n"] = payload.get("n", 0) + 1


async def test_changes_of_many_devices_at_once_are_all_there(client, owned, player):
    await asyncio.gather(*(client.settings.update(player.product, count) for _ in range(4)))
    assert (await client.settings.get_settings(player.product)).data["attributes"]["settings_payload"] == {"n": 4}


async def test_a_change_whose_answer_is_lost_is_made_once(client, proxy, owned, player):
    await client.settings.update(player.product, count)
    for _ in range(2):  # the read, and then the write
        proxy.faults.append(None)
        proxy.lose()
        done = await client.settings.update(player.product, count)
    assert done.data["attributes"]["settings_payload"] == {"n": 3}


async def test_the_first_change_whose_answer_is_lost_is_made_once(client, proxy, owned, player):
    proxy.faults.append(None)
    proxy.lose()
    await client.settings.update(player.product, count)
    assert (await client.settings.get_settings(player.product)).data["attributes"]["settings_payload"] == {"n": 1}


async def test_an_overlay_does_not_take_over_what_lies_below(client, owned, player):
    await client.settings.update(player.product, lambda _: {"volume": 70, "keys": {"jump": "Space", "run": "Shift"}})

    def quieter(payload):
        payload["volume"] = 10
        payload.setdefault("keys", {})["run"] = "R"

    for _ in range(2):
        await client.settings.update(player.product, quieter, device_id="deck-7")
    await client.settings.update(player.product, lambda one: {**one, "volume": 50, "new": True})
    merged = (await client.settings.get_settings(player.product, device_id="deck-7")).data["attributes"]
    assert merged["settings_payload"] == {"volume": 10, "keys": {"jump": "Space", "run": "R"}, "new": True}
    assert merged["settings_layers"] == {
        "volume": "device",
        "keys": {"jump": "account", "run": "device"},
        "new": "account",
    }


async def test_a_change_that_fails_changes_nothing(client, owned, player):
    def fail(_):
        raise RuntimeError("a mistake of the game")

    with pytest.raises(RuntimeError, match="mistake"):
        await client.settings.update(player.product, fail)
    with pytest.raises(LibraryRefusal) as found:
        await client.settings.get_settings(player.product)
    assert found.value.code == "SETTINGS_NOT_FOUND"


@pytest.mark.parametrize(
    ("payload", "layers", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": "account"}, {}),
        ({"a": None}, {"a": "device"}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": "device", "c": "account"}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": "device"}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {"b": "account"}}, {}),
    ],
)
def test_a_layer_of_merged_settings(payload, layers, expected):
    assert layer_of({"settings_payload": payload, "settings_layers": layers}, "device") == expected
