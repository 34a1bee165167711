"""Policies from a manifest of games: what becomes of each path, and what is left out by name."""

from itertools import product

import pytest
from gameshelf.libctl import ludusavi
from gameshelf.libctl.ludusavi import NoSuchGame, NotAManifest, convert, find_game, paths_of, read_manifest
from hypothesis import given
from hypothesis import strategies as st

MANIFEST = b"""
1942:
  steam: {id: 12}
  files:
    <base>/saves: {tags: [save]}
Marsh Lanterns:
  steam:
    id: 4711
  files:
    <winAppData>/Marsh Lanterns/worlds:
      tags: [save]
      when:
        - os: windows
    <xdgData>/marsh-lanterns/worlds:
      tags: [save]
      when: [{os: linux}, {os: linux, store: gog}]
    <home>/Library/Application Support/Marsh/worlds: {when: [{os: mac}]}
    <base>/settings.ini: {tags: [config]}
    <base>/profiles/*/<storeUserId>/slot?.sav: {}
    <base>/**/auto*.sav: {tags: [config, save]}
    <home>/.marsh: {when: [{os: android}]}
  registry:
    HKEY_CURRENT_USER/Software/Marsh: {tags: [config]}
Marsh Lanterns Deluxe:
  alias: Marsh Lanterns
"""


@pytest.fixture(scope="module")
def manifest():
    return read_manifest(MANIFEST)


def roots_of(entry):
    found, _ = paths_of(entry)
    return convert(found).document["roots"]


def path(source, kind="save", **more):
    [one], _ = paths_of({"files": {source: {"tags": [kind], **more}}})
    return one


def test_a_game_becomes_a_policy(manifest):
    _, entry = find_game(manifest, "Marsh Lanterns", None)
    found, left_out = paths_of(entry)
    document = convert(found).document
    assert (document["mode"], document["merge"]) == ("backup", "never")
    assert document["roots"]["save"] == {
        "where": [
            {"when": [{"os": "windows"}], "path": "<winAppData>/Marsh Lanterns/worlds"},
            {"when": [{"os": "linux"}, {"os": "linux", "store": "gog"}], "path": "<xdgData>/marsh-lanterns/worlds"},
            {"when": [{"os": "mac"}], "path": "<home>/Library/Application Support/Marsh/worlds"},
        ],
        "include": ["**"],
        "scope": "all",
    }
    assert document["roots"]["config"] == {
        "where": [{"path": "<base>"}],
        "include": ["settings.ini", "settings.ini/**"],
        "scope": "machine",
    }
    assert document["roots"]["save-2"]["where"] == [{"path": "<base>/profiles/*/<storeUserId>"}]
    assert document["roots"]["save-2"]["include"] == ["slot?.sav", "slot?.sav/**"]
    assert document["roots"]["save-3"]["where"] == [{"path": "<base>"}]
    assert document["roots"]["save-3"]["include"] == ["**/auto*.sav", "**/auto*.sav/**"]
    assert left_out == [
        "registry: HKEY_CURRENT_USER/Software/Marsh",
        "<home>/.marsh: for systems that have no saves here",
    ]


def test_a_game_is_found_by_name_alias_and_id(manifest):
    marsh = manifest["Marsh Lanterns"]
    assert find_game(manifest, "Marsh Lanterns Deluxe", None) == ("Marsh Lanterns Deluxe", marsh)
    assert find_game(manifest, "marsh lanterns", None) == ("Marsh Lanterns", marsh)
    assert find_game(manifest, None, 4711) == ("Marsh Lanterns", marsh)
    assert find_game(manifest, "1942", None)[1] == find_game(manifest, None, 12)[1]
    with pytest.raises(NoSuchGame) as error:
        find_game(manifest, "Marsh Lantern", None)
    assert error.value.similar[0] == "Marsh Lanterns"
    with pytest.raises(NoSuchGame):
        find_game(manifest, None, 1)


@pytest.mark.parametrize("text", [b"- a\n- b", b"text", b"\xff\xfe\x00", b"a: [", b"a: &b [*b", b"[" * 5000])
def test_what_is_no_manifest_is_named(text):
    with pytest.raises(NotAManifest):
        read_manifest(text)


def test_two_folders_of_one_system_are_never_one_root():
    windows, linux = [{"os": "windows"}], [{"os": "linux"}]
    files = {
        "<winAppData>/G/a": {"when": windows},
        "<winAppData>/G/b": {"when": windows},
        "<xdgData>/g": {"when": linux},
    }
    roots = roots_of({"files": files})
    assert [len(root["where"]) for root in roots.values()] == [1, 1, 1]
    assert list(roots) == ["save", "save-2", "save-3"]


def test_files_of_other_names_are_never_one_root():
    roots = roots_of({"files": {"<winAppData>/G/a.sav": {}, "<xdgData>/g/b.sav": {}}})
    assert len(roots) == 2


@pytest.mark.parametrize(
    ("source", "place", "include"),
    [
        ("<base>/saves", "<base>/saves", ["**"]),
        ("<base>/saves/", "<base>/saves", ["**"]),
        ("<base>\\saves\\x.dat", "<base>/saves", ["x.dat", "x.dat/**"]),
        ("<base>", "<base>", ["**"]),
        ("<home>/.game", "<home>/.game", ["**"]),
        ("<winDocuments>/G/*", "<winDocuments>/G", ["*", "*/**"]),
        ("<winDocuments>/G/**", "<winDocuments>/G", ["**"]),
        ("<root>/userdata/<storeUserId>/4711/remote", "<root>/userdata/<storeUserId>/4711/remote", ["**"]),
        ("<winAppData>/G/<storeUserId>.sav", "<winAppData>/G", ["*.sav", "*.sav/**"]),
        ("<winAppData>/G/<storeUserId>", "<winAppData>/G/<storeUserId>", ["**"]),
    ],
)
def test_a_path_is_a_folder_with_patterns(source, place, include):
    found = path(source)
    assert (found.place, list(found.include)) == (place, include)


def test_a_name_with_dots_that_was_refused_is_read_as_a_folder():
    conversion = convert([path("<home>/Library/Application Support/com.studio.game")])
    assert conversion.document["roots"]["save"]["include"] == ["com.studio.game", "com.studio.game/**"]
    paths, gone = ludusavi.without_refused(conversion, {"roots/save/where/0/path": "place_too_wide"})
    [root] = convert(paths).document["roots"].values()
    assert root["where"] == [{"path": "<home>/Library/Application Support/com.studio.game"}]
    assert (root["include"], gone) == (["**"], [])
    paths, gone = ludusavi.without_refused(convert(paths), {"roots/save/where/0/path": "place_too_wide"})
    assert (paths, [rule for _, rule in gone]) == ([], ["place_too_wide"])


@pytest.mark.parametrize("name", ["save.dat", "com.studio.game.plist", "Settings.JSON", "a.7z"])
def test_a_file_that_was_refused_is_not_taken_for_a_folder(name):
    conversion = convert([path(f"<home>/{name}"), path("<base>/other", "config")])
    paths, gone = ludusavi.without_refused(conversion, {"roots/save/where/0/path": "place_too_wide"})
    assert [one.source for one in paths] == ["<base>/other"]
    assert [(one.source, rule) for one, rule in gone] == [(f"<home>/{name}", "place_too_wide")]


def test_a_refused_pattern_gives_up_every_place_of_its_root():
    conversion = convert([path("<winAppData>/G/{a*", when=[{"os": "windows"}]), path("<xdgData>/G/{a*")])
    assert len(conversion.document["roots"]) == 1
    paths, gone = ludusavi.without_refused(conversion, {"roots/save/include/0": "pattern_braces"})
    assert (paths, len(gone)) == ([], 2)


def test_a_policy_has_room_for_so_many_roots():
    conversion = convert(path(f"<base>/{number}") for number in range(40))
    assert (len(conversion.document["roots"]), len(conversion.beyond)) == (32, 8)
    assert set(conversion.sources) == set(conversion.document["roots"])


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.one_of(
            st.none(),
            st.text(max_size=5),
            st.dictionaries(
                st.sampled_from(["tags", "when", "x"]),
                st.one_of(
                    st.none(),
                    st.text(max_size=5),
                    st.lists(st.sampled_from(["save", "config", {"os": "linux"}, {"os": "x"}, {}]), max_size=3),
                ),
            ),
        ),
        max_size=6,
    )
)
def test_any_entry_has_an_answer(files):
    found, left_out = paths_of({"files": files, "registry": "x"})
    conversion = convert(found)
    assert len(found) + len(left_out) == len(files)
    places = [place for root in conversion.document["roots"].values() for place in root["where"]]
    assert len(places) == len(dict.fromkeys(found)) - len(conversion.beyond)


@pytest.mark.parametrize(("files", "tags"), product([None, [], "x"], [None, "x", []]))
def test_an_entry_without_paths_has_none(files, tags):
    assert paths_of({"files": files, "tags": tags}) == ([], [])
