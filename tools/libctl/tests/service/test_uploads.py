"""``libctl uploads list|cancel``: uploads that nobody has confirmed."""

from hashlib import sha256
from uuid import uuid4

import pytest


def reserve(saver, content, slot, **more):
    """Asks to upload, and sends nothing; the upload's id."""
    asked = {
        "product_id": str(saver.product),
        "save_slot_name": slot,
        "file_size_bytes": len(content),
        "file_hash_sha256": sha256(content).hexdigest(),
        **more,
    }
    return saver.post("/savegames/upload-url", **asked).json()["data"]["attributes"]["internal_save_id"]


@pytest.mark.parametrize("columns", [80, 120])
def test_open_uploads_of_a_player_are_listed(support, saver, columns):
    support.columns = columns
    saver.saves(b"one", b"two")
    waiting = reserve(
        saver,
        b"x" * 3000,
        "очень длинное имя сохранения " * 3,
        device_id="deck of the living room, beside the television",
    )
    joined = reserve(saver, b"one", "slot", device_id="pc", base_version=1)
    branch = reserve(saver, b"three", "slot", device_id="deck", base_version=1)
    found = support.data("uploads", "list", saver.id)
    assert ([one["upload"]["upload_id"] for one in found["uploads"]], found["total_items"]) == (
        [waiting, joined, branch],
        3,
    )
    last = found["uploads"][2]
    assert (last["base_version"], last["device_id"], last["file_size_bytes"]) == (1, "deck", 5)
    assert last["content_identity"] == last["file_hash_sha256"] == sha256(b"three").hexdigest()
    ran = support.run("uploads", "list", saver.id, "--limit", 3)
    assert max(map(len, ran.out.splitlines())) <= columns
    for shown in (
        waiting,
        joined,
        branch,
        "2.9 KiB to be sent",
        "3 B, nothing to be sent",
        "from nothing",
        "from v1, a conflict",
        "device deck",
    ):
        assert shown in ran.out
    assert "Page 1 of 2" in support.run("uploads", "list", saver.id, "--limit", 2).err
    assert "No open uploads." in support.shows("uploads", "list", saver.id, "--product", uuid4())


def test_the_listing_has_its_former_name_too(support, saver):
    waiting = reserve(saver, b"one", "slot")
    [found] = support.data("saves", "uploads", saver.id)["uploads"]
    assert found["upload"]["upload_id"] == waiting
    assert "uploads" not in support.shows("saves", "--help")


def test_a_cancelled_upload_frees_its_room(support, saver):
    waiting = reserve(saver, b"x" * 3000, "slot", device_id="deck")
    dry = support.data("uploads", "cancel", saver.id, waiting)
    assert (dry["before"]["status"], dry["after"]["status"], dry["can_undo"]) == ("open", "cancelled", False)
    assert support.data("quota", "show", saver.id)["reserved_bytes"] == 3000
    done = support.applies("uploads", "cancel", saver.id, waiting, reason="the deck was lost")
    assert (done["before"]["device_id"], done["before"]["size"]) == ("deck", 3000)
    assert support.data("quota", "show", saver.id)["reserved_bytes"] == 0
    assert support.data("uploads", "list", saver.id)["uploads"] == []
    [entry] = support.data("audit", "list", "--user", saver.id)["entries"]
    assert (entry["command"], entry["target"]) == ("uploads cancel", {"upload_id": waiting})
    ran = support.run("uploads", "cancel", saver.id, waiting)
    assert (ran.code, "Nothing to change" in ran.err) == (0, True)


def test_an_upload_that_is_not_open_cannot_be_cancelled(support, saver):
    ran = support.run("--json", "uploads", "cancel", saver.id, uuid4())
    assert (ran.code, ran.error["code"]) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    assert "no such open upload" in ran.error["message"]
    saver.save(b"one")
    committed = reserve(saver, b"one", "slot", device_id="pc")
    saver.post("/savegames/confirm-upload", internal_save_id=committed)
    assert support.refused("uploads", "cancel", saver.id, committed)[0] == 3
