"""A policy is read with errors that name the field, and never reaches more than it may."""

import pytest
from gameshelf.savesync.errors import PolicyRefused
from gameshelf.savesync.paths import System
from gameshelf.savesync.policy import FolderPolicy

DOCUMENT = {
    "revision": 7,
    "source": "catalog",
    "mode": "sync",
    "merge": "units",
    "conflict_policy": "most_recent",
    "roots": {
        "saves": {
            "where": [
                {"when": [{"os": "windows"}], "path": "<winLocalAppData>/G/<storeUserId>"},
                {"when": [{"os": "linux", "store": "steam"}, {"os": "mac"}], "path": "<xdgData>/g"},
            ],
            "include": ["**/*.sav", "worlds/**"],
            "exclude": ["**/*.log.sav"],
        },
        "local": {"where": [], "scope": "machine"},
    },
    "units": [{"name": "{w}", "match": ["saves/worlds/{w}/**"]}],
    "limits": {"max_files": 100, "max_file_bytes": 5_000, "oversize": "skip"},
    "settle_seconds": 3,
    "processes": ["g.exe"],
    "of_a_later_version": True,
}


def test_a_policy_is_read():
    policy = FolderPolicy.parse(DOCUMENT)
    assert (policy.revision, policy.source, policy.merge, policy.settle_seconds) == (7, "catalog", "units", 3)
    assert policy.processes == ("g.exe",)
    assert policy.limits.max_files == 100
    assert policy.limits.max_bytes == 0
    assert policy.limits.oversize == "skip"
    assert policy.roots["local"].scope == "machine"
    assert [rule.name for rule in policy.units] == ["{w}"]


def test_what_a_policy_covers():
    policy = FolderPolicy.parse(DOCUMENT)
    covered = ("saves/a.sav", "saves/deep/B.SAV", "saves/worlds/w/level.dat", "local/x")
    others = ("saves/a.txt", "saves/a.log.sav", "saves/worlds", "saves", "other/a.sav")
    assert [path for path in covered + others if policy.covers(path)] == list(covered)
    reached = FolderPolicy.parse({"roots": {"game": {"include": ["profiles/*/save.dat"]}}})
    folders = ("game", "game/profiles", "game/Profiles/1", "game/data", "game/profiles/1/deep", "other")
    assert [folder for folder in folders if reached.reaches(folder)] == list(folders[:3])


def test_a_policy_without_roots_covers_everything():
    policy = FolderPolicy.parse({})
    assert policy == FolderPolicy()
    assert policy.covers("saves/a")
    assert policy.reaches("saves")


@pytest.mark.parametrize(
    ("system", "store", "fitting"),
    [
        (System.WINDOWS, None, [0]),
        (System.LINUX, "steam", [1]),
        (System.LINUX, "gog", []),
        (System.MACOS, None, [1]),
    ],
)
def test_the_conditions_of_a_place(system, store, fitting):
    places = FolderPolicy.parse(DOCUMENT).roots["saves"].where
    assert [at for at, place in enumerate(places) if place.fits(system, store)] == fitting


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"mode": "all"}, "mode", "unknown"),
        ({"revision": -1}, "revision", "no_number_from_0_to_9007199254740992"),
        ({"settle_seconds": True}, "settle_seconds", "no_number_from_0_to_3600"),
        ({"roots": []}, None, None),
        ({"roots": 1}, "roots", "no_object"),
        ({"roots": {"A": {}}}, "roots.A", "root_name"),
        ({"roots": {"a": {"where": [{"path": "<home>"}]}}}, "roots.a.where[0].path", "place_too_wide"),
        ({"roots": {"a": {"where": [{}]}}}, "roots.a.where[0].path", "no_text"),
        ({"roots": {"a": {"include": ["../b"]}}}, "roots.a.include[0]", "pattern_part_dots"),
        ({"roots": {"a": {"include": "**"}}}, "roots.a.include", "no_list"),
        ({"roots": {"a": {"include": ["**"] * 33}}}, "roots.a.include", "more_than_32"),
        ({"units": [{"name": "{w}", "match": ["saves/{v}/**"]}]}, "units[0].name", "unit_capture"),
        ({"units": [{"name": "a/b", "match": ["saves/**"]}]}, "units[0].name", "unit_name"),
        ({"units": [{"name": "a", "match": []}]}, "units[0].match", "empty"),
        ({"processes": ["bin/g"]}, "processes[0]", "process_name"),
        ({"limits": {"oversize": "cut"}}, "limits.oversize", "unknown"),
    ],
)
def test_an_error_names_the_field(change, field, rule):
    if field is None:  # absent and empty are the same
        assert FolderPolicy.parse(change) == FolderPolicy()
        return
    with pytest.raises(PolicyRefused) as refused:
        FolderPolicy.parse(change)
    assert (refused.value.field, refused.value.rule) == (field, rule)


def test_a_document_that_is_no_object():
    with pytest.raises(PolicyRefused, match="policy: no_object"):
        FolderPolicy.parse([])
