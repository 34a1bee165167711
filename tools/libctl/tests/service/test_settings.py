"""``libctl settings list|show|history|restore``: "my settings were reset"."""

import re

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

DECK = ("--device", "deck")


class Player:
    """Somebody who owns a game, and changes its settings."""

    def __init__(self, saver):
        self.id, self.product, self.http = saver.id, saver.product, saver.http

    def put(self, payload, if_match=None, **at):
        body = {"data": {"attributes": {"settings_payload": payload}}}
        headers = {"If-Match": if_match} if if_match else {}
        url = f"/settings/{self.product}"
        return self.http.put(url, json=body, params=at, headers=headers, timeout=PATIENCE_SECONDS)

    def get(self, **at):
        return self.http.get(f"/settings/{self.product}", params=at)

    def deletes(self):
        assert self.http.delete(f"/settings/{self.product}").status_code == 204

    @property
    def payload(self):
        return self.get().json()["data"]["attributes"]["settings_payload"]


@pytest.fixture
def player(saver):
    made = Player(saver)
    assert made.put({"громкость": 70, "keys": {"jump": "Space"}}).status_code == 201
    return made


def kept(support, player):
    return support.data("settings", "history", player.id, player.product)["kept"]


def test_what_was_reset_is_seen_restored_and_taken_back(player, support):
    player.put({})
    [before] = kept(support, player)
    assert (before["layer"], before["revision"], before["ended_by"]) == ("account", 1, "replaced")
    old = support.data("settings", "show", player.id, player.product, "--revision", "1")
    assert old["settings_payload"] == {"громкость": 70, "keys": {"jump": "Space"}}
    restore = ("settings", "restore", player.id, player.product, "1")
    shown = support.shows(*restore)
    assert "settings_payload.keys.jump" in shown
    assert player.payload == {}
    seen = player.get().headers["ETag"]

    done = support.applies(*restore, "--ticket", "T-77", reason="the player lost them")
    assert player.payload == {"громкость": 70, "keys": {"jump": "Space"}}
    assert (done["before"]["revision"], done["after"]["revision"], done["can_undo"]) == (2, 3, True)
    assert player.put({"own": 1}, if_match=seen).status_code == 412  # no write of a client is lost
    [entry] = support.data("audit", "list", "--ticket", "T-77")["entries"]
    assert (entry["command"], entry["target"]["revision"]) == ("settings restore", 1)

    undone = support.applies("audit", "undo", done["audit_id"])
    assert player.payload == {}
    assert undone["after"]["revision"] == 4


def test_a_restore_is_refused_after_a_write_of_the_client(player, support):
    player.put({"volume": 1})
    words = ("settings", "restore", player.id, player.product, "1")
    revision = support.data(*words)["revision"]
    player.put({"volume": 2})
    late = (*words, "--apply", "--reason", "as seen in the dry run", "--revision", revision)
    assert support.refused(*late) == (4, "PRECONDITION_FAILED")
    assert player.payload == {"volume": 2}
    done = support.applies(*words)
    player.put({"volume": 3})
    assert support.refused("audit", "undo", done["audit_id"]) == (4, "PRECONDITION_FAILED")
    assert player.payload == {"volume": 3}


def test_deleted_layers_are_restored_and_deleted_again(player, support):
    player.put({"scale": 2}, device_id="deck")
    player.deletes()
    assert {(one["layer"], one["device_id"], one["ended_by"]) for one in kept(support, player)} == {
        ("account", "", "deleted"),
        ("device", "deck", "deleted"),
    }
    assert "no settings now" in support.shows("settings", "show", player.id, player.product)
    account = support.applies("settings", "restore", player.id, player.product, "1")
    overlay = support.applies("settings", "restore", player.id, player.product, "2", *DECK)
    assert player.get(device_id="deck").json()["data"]["attributes"]["settings_payload"]["scale"] == 2
    assert support.applies("audit", "undo", account["audit_id"])["after"]["revision"] == 0
    assert player.get(device_id="deck").json()["data"]["attributes"]["settings_payload"] == {"scale": 2}
    support.applies("audit", "undo", overlay["audit_id"])
    assert player.get().status_code == 404


def test_a_restore_of_what_is_there_changes_nothing(player, support):
    player.put({"volume": 1})
    player.put({"громкость": 70, "keys": {"jump": "Space"}})
    ran = support.run(
        "settings", "restore", player.id, player.product, "1", "--apply", "--reason", "the player asked for it"
    )
    assert ran.code == 0
    assert "Nothing to change" in ran.err
    assert len(kept(support, player)) == 2


def test_what_a_restore_evicts_is_shown_and_comes_back(player, support):
    for number in range(65):
        assert player.put({"n": number}, device_id=f"device {number:02}").is_success
    [evicted] = kept(support, player)
    assert (evicted["device_id"], evicted["ended_by"]) == ("device 00", "evicted")
    restore = ("settings", "restore", player.id, player.product, evicted["revision"], "--device", "device 00")
    shown = support.shows(*restore)
    assert re.search("evicted.device_id +- +device 01", shown)
    done = support.applies(*restore)
    assert done["after"]["evicted"] == {"device_id": "device 01", "revision": evicted["revision"] + 1}

    def devices():
        found = support.data("settings", "show", player.id, player.product)["layers"]
        return {one["device_id"] for one in found if one["device_id"]}

    every = {f"device {number:02}" for number in range(65)}
    assert devices() == every - {"device 01"}
    undone = support.applies("audit", "undo", done["audit_id"])
    assert (undone["before"]["evicted"], "evicted" in undone["after"]) == (done["after"]["evicted"], False)
    assert devices() == every - {"device 00"}
    assert player.get(device_id="device 01").json()["data"]["attributes"]["settings_payload"]["n"] == 1

    again = support.applies(*restore)
    player.put({"n": 2}, device_id=next(iter(every - devices())))  # the device has settings of its own again
    assert support.refused("audit", "undo", again["audit_id"]) == (4, "PRECONDITION_FAILED")


def test_a_large_payload_is_in_the_audit_by_its_hash(player, support):
    player.put({"text": "x" * 5000})
    player.put({})
    done = support.applies("settings", "restore", player.id, player.product, "2")
    assert (done["after"]["settings_payload"], len(done["after"]["sha256"])) == (None, 12)
    assert done["after"]["size_bytes"] == 5011


def test_pages_of_the_history_follow_each_other(player, support):
    for number in range(5):
        player.put({"n": number})
    words = ("settings", "history", player.id, player.product, "--limit", "2")
    found, cursor = [], ""
    while True:
        page = support.data(*words, *(("--cursor", cursor) if cursor else ()))
        found += [one["revision"] for one in page["kept"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_the_terminal(player, support, columns):
    support.columns = columns
    player.put({"volume": 1})
    player.put({"scale": 1}, device_id="a device with quite a long name of its own")
    player.put({"scale": 2}, device_id="a device with quite a long name of its own")
    for words in (("list", player.id), ("show", player.id, player.product), ("history", player.id, player.product)):
        shown = support.shows("settings", *words)
        assert max(map(len, shown.splitlines())) <= columns
        assert str(player.product) in shown
        assert "UTC)" in shown
        assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d", shown), "a time is in one piece"
    assert '"volume": 1' in support.shows("settings", "show", player.id, player.product)
    assert "громкость" in support.shows("settings", "show", player.id, player.product, "--revision", "1")


def test_the_games_with_settings_are_listed_with_their_layers(player, support):
    player.put({"scale": 1}, device_id="deck")
    found = support.data("settings", "list", player.id)
    [game] = found["games"]
    assert (game["settings"]["product_id"], found["total_items"]) == (str(player.product), 1)
    shown = support.shows("settings", "list", player.id)
    assert "account, 1 overlay" in shown


def test_one_layer_is_named(player, support):
    assert "no layer of the device tv" in support.shows("settings", "show", player.id, player.product, "--device", "tv")
    both = ("--device", "tv", "--platform", "linux")
    assert support.refused("settings", "show", player.id, player.product, *both) == (2, "VALIDATION_ERROR")
    assert support.refused("settings", "restore", player.id, player.product, "1", *both) == (2, "VALIDATION_ERROR")


def test_an_erased_user_has_no_settings(player, support, admin):
    player.put({})
    admin.applies("user", "erase", player.id, "--confirm", player.id)
    for words in (("list", player.id), ("show", player.id, player.product), ("history", player.id, player.product)):
        assert support.refused("settings", *words) == (3, "NOT_FOUND")
