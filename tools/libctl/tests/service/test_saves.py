"""``libctl saves list|versions|uploads|download|restore|pin`` against a real store."""

import gzip
from hashlib import sha256
from uuid import uuid4

import pytest


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Downloads go into a directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def head_of(support, saver, save):
    found = support.data("saves", "versions", saver.id, save)["versions"]
    [head] = [one for one in found if one["status"] == "head"]
    return head["version"], head["file_hash_sha256"]


def test_saves_are_listed_and_so_is_the_trash(support, saver):
    save, _ = saver.diverges("ход 1")
    gone = saver.saves(b"gone", slot="old")
    saver.http.delete(f"/savegames/{gone}")
    [one] = support.data("saves", "list", saver.id)["saves"]
    assert (one["head"]["savegame_id"], one["head"]["version"], one["has_conflict"]) == (save, 2, True)
    [trashed] = support.data("saves", "list", saver.id, "--trash")["saves"]
    assert (trashed["head"]["savegame_id"], trashed["deleted_at"] is None) == (gone, False)
    shown = support.shows("saves", "list", saver.id)
    assert save in shown
    assert "ход 1" in shown
    assert gone in support.shows("saves", "list", saver.id, "--trash")
    assert "No saves." in support.shows("saves", "list", uuid4())
    assert support.data("saves", "list", saver.id, "--product", uuid4())["saves"] == []


def test_versions_are_a_tree_in_pages_also_of_what_is_in_the_trash(support, saver):
    save, _ = saver.diverges()
    shown = support.shows("saves", "versions", saver.id, save)
    lines = [line.split() for line in shown.splitlines() if "●" in line or "◉" in line]
    assert [line[: line.index("B") - 1] for line in lines] == [
        ["●", "v3", "branch"],
        ["│", "◉", "v2", "head"],
        ["●─╯", "v1", "history"],
    ]
    saver.http.delete(f"/savegames/{save}")
    page = support.data("saves", "versions", saver.id, save, "--limit", 2, "--page", 2)
    assert ([one["version"] for one in page["versions"]], page["total_items"]) == ([1], 3)
    assert page["deleted_at"]
    ran = support.run("saves", "versions", saver.id, save, "--limit", 2)
    assert "in the trash since" in ran.out
    assert "Page 1 of 2, 3 in total. Next: --page 2" in ran.err
    assert support.refused("saves", "versions", saver.id, uuid4()) == (3, "SAVEGAME_SLOT_NOT_FOUND")
    assert support.refused("saves", "versions", uuid4(), save) == (3, "SAVEGAME_SLOT_NOT_FOUND")


def test_a_download_is_verified_audited_and_overwrites_nothing(support, saver, somewhere):
    save = saver.saves(b"level 1", b"level 2" * 100_000, slot="/evil: /name")
    downloaded = support.data("saves", "download", saver.id, save)
    file = somewhere / "evil___name-v2.sav"
    assert downloaded["file"] == file.name
    assert file.read_bytes() == b"level 2" * 100_000
    assert support.run("saves", "download", saver.id, save, "--version", 1, "--to", "one.sav").code == 0
    assert (somewhere / "one.sav").read_bytes() == b"level 1"
    ran = support.run("saves", "download", saver.id, save, "--version", 1, "--to", file)
    assert (ran.code, "not overwritten" in ran.err) == (2, True)
    assert file.read_bytes() == b"level 2" * 100_000
    assert support.refused("saves", "download", saver.id, save, "--to", "nowhere/x.sav") == (2, "USAGE")
    entries = support.data("audit", "list", "--user", saver.id, "--command", "saves download")["entries"]
    assert {(one["kind"], one["target"]["savegame_id"]) for one in entries} == {("read", save)}
    assert {one.name for one in somewhere.iterdir()} == {"one.sav", file.name}


def test_saves_without_access_or_in_the_trash_can_be_downloaded(support, admin, saver, somewhere):
    save = saver.saves(b"one", b"two")
    admin.applies("library", "revoke", saver.id, saver.product)
    assert saver.http.get(f"/savegames/{save}/download-url").status_code == 403
    support.shows("saves", "download", saver.id, save, "--to", "lost")
    saver.http.delete(f"/savegames/{save}")
    support.shows("saves", "download", saver.id, save, "--version", 1, "--to", "one")
    support.shows("saves", "download", saver.id, save, "--to", "head")
    assert [(somewhere / name).read_bytes() for name in ("lost", "one", "head")] == [b"two", b"one", b"two"]
    assert support.refused("saves", "download", saver.id, save, "--version", 9) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    assert support.refused("saves", "download", saver.id, uuid4()) == (3, "SAVEGAME_SLOT_NOT_FOUND")


@pytest.mark.parametrize("broken", ["other bytes", "fewer", "gone"])
def test_bytes_that_are_not_those_of_the_version_leave_no_file(support, saver, somewhere, bucket, broken):
    save = saver.saves(b"the very bytes")
    [key] = bucket.keys_of(saver.id)
    if broken == "gone":
        bucket.delete(key)
    else:
        bucket.put(key, b"other bytes!!!" if broken == "other bytes" else b"few")
    ran = support.run("--json", "saves", "download", saver.id, save)
    assert ran.code == 1, ran.err
    assert ran.out == ""
    if broken != "gone":
        assert ran.error["code"] == "SAVEGAME_HASH_MISMATCH"
    assert list(somewhere.iterdir()) == []


def test_an_older_version_becomes_the_head_and_that_is_taken_back(support, saver):
    save = saver.saves(b"good", b"bad")
    dry = support.run("saves", "restore", saver.id, save, "--version", 1)
    assert "kept_versions" in dry.out
    assert "1 2 3" in dry.out
    assert head_of(support, saver, save)[0] == 2
    done = support.applies("saves", "restore", saver.id, save, "--version", 1)
    assert (done["before"]["head"]["version"], done["after"]["head"]["version"]) == (2, 3)
    assert head_of(support, saver, save) == (3, sha256(b"good").hexdigest())
    support.applies("audit", "undo", done["audit_id"])
    assert head_of(support, saver, save) == (4, sha256(b"bad").hexdigest())


def test_a_restore_that_was_overtaken_is_refused_and_so_is_its_undo(support, saver):
    save = saver.saves(b"one", b"two")
    seen = support.data("saves", "restore", saver.id, save, "--version", 1)["revision"]
    saver.save(b"three")
    words = ("saves", "restore", saver.id, save, "--version", 1)
    assert support.refused(*words, "--apply", "--reason", "for any reason", "--revision", seen) == (
        4,
        "PRECONDITION_FAILED",
    )
    done = support.applies(*words)
    saver.save(b"five", base_version=4)
    ran = support.run("audit", "undo", done["audit_id"], "--apply", "--reason", "it was wrong")
    assert ran.code == 4
    assert '"version":5' in ran.err
    assert head_of(support, saver, save) == (5, sha256(b"five").hexdigest())


def test_a_save_comes_out_of_the_trash_and_goes_back(support, saver):
    save = saver.saves(b"one", b"two")
    saver.http.delete(f"/savegames/{save}")
    other = saver.saves(b"another")
    done = support.applies("saves", "restore", saver.id, save)
    assert (done["before"]["in_trash"], done["after"]["in_trash"]) == (True, False)
    assert done["after"]["slot_name"] == "slot (2)"
    saves = {one["head"]["savegame_id"] for one in support.data("saves", "list", saver.id)["saves"]}
    assert saves == {save, other}
    support.applies("audit", "undo", done["audit_id"])
    [trashed] = support.data("saves", "list", saver.id, "--trash")["saves"]
    assert trashed["head"]["savegame_id"] == save
    older = support.applies("saves", "restore", saver.id, save, "--version", 1)
    assert head_of(support, saver, save) == (3, sha256(b"one").hexdigest())
    support.applies("audit", "undo", older["audit_id"])
    [trashed] = support.data("saves", "list", saver.id, "--trash")["saves"]
    assert (trashed["head"]["version"], trashed["head"]["file_hash_sha256"]) == (4, sha256(b"two").hexdigest())


def test_what_cannot_be_restored_says_why(support, saver):
    save = saver.saves(*(b"%d" % number for number in range(12)))
    ran = support.run("saves", "restore", saver.id, save, "--version", 1)
    assert (ran.code, "reason: pruned" in ran.err) == (3, True)
    ran = support.run("saves", "download", saver.id, save, "--version", 1)
    assert (ran.code, "reason: pruned" in ran.err) == (3, True)
    ran = support.run("saves", "restore", saver.id, save)
    assert (ran.code, "version: This field is required" in ran.err) == (2, True)
    assert support.refused("saves", "restore", saver.id, save, "--version", 99) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    assert "○" in support.shows("saves", "versions", saver.id, save)


def test_a_version_is_pinned_and_that_is_taken_back(support, saver):
    save = saver.saves(b"one", b"two")
    done = support.applies("saves", "pin", saver.id, save, 1)
    assert done["after"] == {"version": 1, "is_pinned": True, "has_bytes": True}
    assert "history, pinned" in support.shows("saves", "versions", saver.id, save)
    saver.save(b"three")  # which prevents nothing
    support.applies("audit", "undo", done["audit_id"])
    unpinned = support.data("saves", "pin", saver.id, save, 1, "--unpin")
    assert unpinned["before"] == unpinned["after"]
    assert support.refused("saves", "pin", saver.id, save, 9) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    saver.http.delete(f"/savegames/{save}")
    ran = support.run("saves", "pin", saver.id, save, 1)
    assert (ran.code, "in_trash" in ran.err) == (3, True)


@pytest.mark.parametrize("columns", [80, 120])
def test_what_versions_hold_is_shown_by_identity(support, saver, columns):
    support.columns = columns
    raw = b"level " * 1000
    packed = [gzip.compress(raw, level) for level in (1, 9)]
    save = saver.saves(b"plain")
    said = {"content_encoding": "gzip", "raw_sha256": sha256(raw).hexdigest()}
    saver.save(packed[0], **said)
    marks = {"scheme": "AES-256-GCM", "key_id": "key", "identity": "ab" * 32}
    saver.save(b"encrypted", encryption=marks)
    shown = support.shows("saves", "versions", saver.id, save, "--content")
    assert max(map(len, shown.splitlines())) <= columns
    for line in (
        sha256(b"plain").hexdigest(),
        "the SHA-256 of the bytes",
        sha256(raw).hexdigest(),
        "the SHA-256 before gzip; that of the bytes:",
        sha256(packed[0]).hexdigest(),
        "ab" * 32,
        "as the game says, which encrypted it; that of the bytes:",
        sha256(b"encrypted").hexdigest(),
    ):
        assert line in shown
    found = support.data("saves", "versions", saver.id, save)["versions"]
    assert [one["content_identity"] for one in found] == [
        "ab" * 32,
        sha256(raw).hexdigest(),
        sha256(b"plain").hexdigest(),
    ]
    assert "identity of the content" not in support.shows("saves", "versions", saver.id, save)


def test_a_restore_that_is_repeated_on_its_revision_is_made_once(support, saver):
    save = saver.saves(b"good", b"bad")
    words = ("saves", "restore", saver.id, save, "--version", 1)
    seen = support.data(*words)["revision"]
    words = (*words, "--apply", "--reason", "as seen in the dry run", "--revision", seen)
    first, again = support.data(*words), support.data(*words)
    assert (first["audit_id"], first["after"]) == (again["audit_id"], again["after"])
    assert head_of(support, saver, save)[0] == 3
    undo = ("audit", "undo", first["audit_id"])
    undo = (*undo, "--apply", "--reason", "the wrong version", "--revision", support.data(*undo)["revision"])
    assert support.data(*undo)["audit_id"] == support.data(*undo)["audit_id"]
    assert head_of(support, saver, save) == (4, sha256(b"bad").hexdigest())
    assert support.refused(*words) == (4, "PRECONDITION_FAILED")


def test_a_pin_that_cannot_be_made_again_is_not_said_to_be_made(support, saver):
    save = saver.saves(*(f"content {number}".encode() for number in range(10)))
    pin = ("saves", "pin", saver.id, save, 1)
    seen = support.data(*pin)["revision"]
    words = (*pin, "--apply", "--reason", "wanted for a speedrun", "--revision", seen)
    assert support.data(*words)["applied"]
    for version, is_pinned in ((1, False), *((number, True) for number in range(2, 10))):
        body = {"data": {"attributes": {"is_pinned": is_pinned}}}
        assert saver.http.patch(f"/savegames/{save}/versions/{version}", json=body).is_success
    # The version is as it was on that revision, but there is no room for it any more.
    ran = support.run("--json", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "versions can be pinned" in ran.err
    assert "--unpin for another one first" in ran.err
