"""Sets of files for support: files of a version, what differs in a conflict, and a merge by units."""

import json
import time
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest

from ..shown_tables import headings_of

WORLDS = {
    "roots": {"saves": {"where": [{"path": "<winAppData>/Marsh"}]}},
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
}
START = {"saves/w1/level.dat": b"one", "saves/w2/level.dat": b"one", "saves/w2/игрок.dat": b"one"}


def put(saver, files, slot="world", device="pc", **more):
    """Saves a set of files; the save's id, or the refusal."""
    entries = [
        {"path": path, "size_bytes": len(content), "sha256": sha256(content).hexdigest()}
        for path, content in files.items()
    ]
    asked = {"product_id": str(saver.product), "save_slot_name": slot, "device_id": device, "files": entries, **more}
    data = saver.post("/savegames/uploads", **asked).json()["data"]
    contents = {sha256(content).hexdigest(): content for content in files.values()}
    while data["attributes"]["uploads"]:
        for one in data["attributes"]["uploads"]:
            content, headers = contents[one["sha256"]], one["headers"]
            sent = httpx.request(one["method"], one["upload_url"], content=content, headers=headers)
            assert sent.status_code == 200, sent.text
        data = saver.http.get(f"/savegames/uploads/{data['id']}").json()["data"]
    while (done := saver.http.post(f"/savegames/uploads/{data['id']}/commit")).status_code == 202:
        time.sleep(0.05)
    document = done.json()
    return document["errors"][0] if "errors" in document else document["data"]["id"]


@pytest.fixture
def apart(saver, admin, tmp_path):
    """A set of two worlds that two devices have changed: the save and its conflict."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(WORLDS))
    admin.applies("policy", "import", saver.product, path, "--approve")
    save = put(saver, START)
    put(saver, START | {"saves/w1/level.dat": b"two", "saves/w2/level.dat": b"two"})
    saver.post(f"/savegames/{save}/synced", version=1, device_id="deck")
    refused = put(saver, START | {"saves/w2/игрок.dat": b"three"}, device="deck", base_version=1)
    return save, refused["meta"]["conflict_id"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_files_of_a_version_are_listed(support, saver, columns):
    support.columns = columns
    save = put(saver, START)
    shown = support.shows("saves", "files", saver.id, save)
    assert all(path in shown.replace("\n", "") for path in START)
    assert max(map(len, shown.splitlines())) <= columns
    found = support.data("saves", "files", saver.id, save, "--version", 1, "--limit", 2, "--page", 2)
    assert (found["save"]["file_count"], found["total_items"]) == (3, 3)
    [last] = found["files"]
    assert (last["path"], last["size_bytes"]) == (max(START, key=str.encode), 3)
    assert "Page 1 of 2" in support.run("saves", "files", saver.id, save, "--limit", 2).err
    assert saver.http.delete(f"/savegames/{save}").status_code == 204
    assert support.data("saves", "files", saver.id, save)["total_items"] == 3


def test_a_single_file_is_a_list_of_one(support, saver):
    save = saver.saves(b"one")
    [file] = support.data("saves", "files", saver.id, save)["files"]
    assert (file["path"], file["sha256"]) == ("", sha256(b"one").hexdigest())
    assert "a single file" in support.shows("saves", "files", saver.id, save)
    assert support.refused("saves", "files", saver.id, uuid4()) == (3, "SAVEGAME_SLOT_NOT_FOUND")
    assert support.refused("saves", "files", saver.id, save, "--version", 9) == (3, "SAVEGAME_VERSION_NOT_FOUND")


def test_a_set_is_not_downloaded_as_a_file(support, saver):
    ran = support.run("--json", "saves", "download", saver.id, put(saver, START))
    assert (ran.code, ran.error["code"]) == (4, "SAVEGAME_IS_A_SET")
    assert "saves files" in ran.error["try"]


def test_a_file_of_a_set_is_downloaded_verified_and_audited(support, saver, tmp_path):
    save = put(saver, START)
    put(saver, START | {"saves/w2/игрок.dat": b"two"})
    words = ("saves", "download", saver.id, save, "--file", "saves/w2/игрок.dat")
    file = tmp_path / "old"
    done = support.data(*words, "--version", 1, "--to", file)
    assert (file.read_bytes(), done["saved_file"]["path"], done["save"]["file_count"]) == (b"one", words[-1], 3)
    support.shows(*words, "--to", tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == b"two"
    for entry in support.data("audit", "list", "--user", saver.id, "--command", "saves download")["entries"]:
        assert entry["target"]["path"] == words[-1]
    ran = support.run("--json", *words[:-1], "saves/w3/level.dat")
    assert (ran.code, ran.error["code"]) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    assert "no such file" in ran.error["message"]
    assert support.refused(*words, "--version", 9) == (3, "SAVEGAME_VERSION_NOT_FOUND")
    single = saver.saves(b"one")
    assert support.refused("saves", "download", saver.id, single, "--file", "x") == (3, "SAVEGAME_VERSION_NOT_FOUND")
    assert saver.http.delete(f"/savegames/{save}").status_code == 204
    support.shows(*words, "--to", tmp_path / "trashed")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_conflict_shows_what_differs(support, saver, apart, columns):
    support.columns = columns
    _, conflict = apart
    ran = support.run("conflicts", "show", saver.id, conflict)
    assert ran.code == 0, ran.err
    for shown in ("head changed", "both changed", "saves/w1/level.dat", "игрок.dat"):
        assert shown in ran.out
    assert ["unit", "what happened", "suggested", "file"] in headings_of(ran.out)
    assert "A merge has to name a side of: w2" in ran.err
    assert "--keep local|cloud|both|merge" in ran.err
    found = support.data("conflicts", "show", saver.id, conflict, "--all")
    assert (found["unit_count"], found["unnamed_count"], found["conflict"]["base_version"]) == (2, 1, 1)
    assert found["conflict"]["differences_count"] == len(found["differences"]) == 3
    first = found["differences"][0]
    assert (first["unit"], first["kind"], first["suggested"]) == ("w1", "head_changed", "SAVE_SIDE_HEAD")
    assert first["branch"]["sha256"] == sha256(b"one").hexdigest()


def test_a_conflict_is_merged_by_units(support, saver, apart):
    save, conflict = apart
    words = ("conflicts", "resolve", saver.id, conflict, "--keep", "merge")
    assert support.refused(*words) == (2, "VALIDATION_ERROR")
    assert support.refused(*words, "--unit", "w9=head") == (2, "VALIDATION_ERROR")
    assert support.refused(*words, "--unit", "w2=both") == (2, "USAGE")
    assert support.refused("conflicts", "resolve", saver.id, conflict, "--keep", "cloud", "--unit", "w2=head") == (
        2,
        "USAGE",
    )
    done = support.applies(*words, "--unit", "w2=branch")
    assert done["after"]["resolution"] == "merge"
    [entry] = [one for one in support.data("audit", "list", "--user", saver.id)["entries"] if one["kind"] == "change"]
    assert entry["target"]["units"] == {"w2": "branch"}
    files = {one["path"]: one["sha256"] for one in support.data("saves", "files", saver.id, save)["files"]}
    merged = START | {"saves/w1/level.dat": b"two", "saves/w2/игрок.dat": b"three"}
    assert files == {path: sha256(content).hexdigest() for path, content in merged.items()}


@pytest.mark.long
def test_all_differences_are_shown_page_by_page(support, saver):
    start = {f"saves/{number}.dat": b"one" for number in range(130)}
    put(saver, start)
    put(saver, {path: f"two {path}".encode() for path in start})
    other = {path: f"three {path}".encode() for path in start}
    conflict = put(saver, other, device="deck", base_version=1)["meta"]["conflict_id"]
    first = support.data("conflicts", "show", saver.id, conflict)
    assert (len(first["differences"]), first["conflict"]["differences_count"]) == (100, 130)
    assert "30 more files differ" in support.run("conflicts", "show", saver.id, conflict).err
    assert len(support.data("conflicts", "show", saver.id, conflict, "--all")["differences"]) == 130


def test_a_conflict_of_single_files_can_not_be_merged(support, saver):
    _, conflict = saver.diverges()
    assert "merge" not in support.run("conflicts", "show", saver.id, conflict).err
    ran = support.run("--json", "conflicts", "resolve", saver.id, conflict, "--keep", "merge")
    assert (ran.code, ran.error["code"]) == (4, "SAVEGAME_MERGE_SPLITS_UNIT")
