"""Places of a policy on Windows, Linux, macOS and in Proton; places that would reach too much are refused."""

from pathlib import Path

import pytest
from gameshelf.savesync.errors import PlaceUnknown
from gameshelf.savesync.paths import System
from gameshelf.savesync.places import Machine, check_place, resolve

LINUX = Machine(System.LINUX, Path("/home/anna"), "anna")
MACOS = Machine(System.MACOS, Path("/Users/anna"), "anna")
WINDOWS = Machine(System.WINDOWS, Path("/c/Users/anna"), "anna", variables={"APPDATA": "/c/Users/anna/AppData/Roaming"})


@pytest.fixture
def proton(tmp_path):
    prefix = tmp_path / "steamapps" / "compatdata" / "77" / "pfx"
    (prefix / "drive_c" / "users" / "steamuser" / "AppData" / "Local").mkdir(parents=True)
    return Machine(
        System.LINUX,
        Path("/home/anna"),
        "anna",
        store="steam",
        store_game_id="77",
        library=tmp_path,
        game="G",
        prefix=prefix,
    )


@pytest.mark.parametrize(
    ("machine", "place", "folder"),
    [
        (LINUX, "<home>/.g/saves", "/home/anna/.g/saves"),
        (LINUX, "<xdgData>/g", "/home/anna/.local/share/g"),
        (LINUX, "<xdgConfig>/unity3d/<osUserName>", "/home/anna/.config/unity3d/anna"),
        (MACOS, "<home>/Library/Application Support/g", "/Users/anna/Library/Application Support/g"),
        (WINDOWS, "<winAppData>/G", "/c/Users/anna/AppData/Roaming/G"),
        (WINDOWS, "<winLocalAppDataLow>/G/S", "/c/Users/anna/AppData/LocalLow/G/S"),
        (WINDOWS, "<winDocuments>/My Games/G", "/c/Users/anna/Documents/My Games/G"),
    ],
)
def test_where_a_place_is(machine, place, folder):
    assert check_place(place) is None
    assert resolve(place, machine) == Path(folder)


def test_variables_of_linux():
    chosen = Machine(System.LINUX, Path("/home/anna"), "anna", variables={"XDG_DATA_HOME": "/data"})
    assert resolve("<xdgData>/g", chosen) == Path("/data/g")
    relative = Machine(System.LINUX, Path("/home/anna"), "anna", variables={"XDG_DATA_HOME": "data"})
    assert resolve("<xdgData>/g", relative) == Path("/home/anna/.local/share/g")


def test_the_folder_of_a_game(tmp_path):
    machine = Machine(System.LINUX, tmp_path, "anna", library=tmp_path, game="G")
    assert resolve("<base>", machine) == tmp_path / "G"
    assert resolve("<root>/<game>/saves", machine) == tmp_path / "G" / "saves"
    assert resolve("<base>/saves", Machine(System.LINUX, tmp_path, "anna", base=Path("/g"))) == Path("/g/saves")


def test_a_game_of_windows_in_proton(proton):
    user = proton.prefix / "drive_c" / "users" / "steamuser"
    assert proton.runs_as is System.WINDOWS
    assert resolve("<winLocalAppData>/G", proton) == user / "AppData" / "Local" / "G"
    assert resolve("<home>/Saved Games/G", proton) == user / "Saved Games" / "G"
    assert resolve("<winPublic>/G", proton) == proton.prefix / "drive_c" / "users" / "Public" / "G"
    assert resolve("<steamCompatData>/pfx/g", proton) == proton.prefix / "g"
    assert resolve("<base>/saves", proton) == proton.library / "steamapps" / "common" / "G" / "saves"
    with pytest.raises(PlaceUnknown, match="<xdgData> is not known"):
        resolve("<xdgData>/g", proton)


def test_a_prefix_does_not_distinguish_case(proton):
    there = proton.prefix / "drive_c" / "users" / "steamuser" / "AppData" / "Local" / "mygame" / "SAVES"
    there.mkdir(parents=True)
    assert resolve("<winLocalAppData>/MyGame/Saves", proton) == there


def test_an_id_that_is_not_known_is_the_only_folder(tmp_path):
    machine = Machine(System.LINUX, tmp_path, "anna")
    place = "<home>/g/<storeUserId>/remote"
    with pytest.raises(PlaceUnknown, match="no folder fits <storeUserId> yet"):
        resolve(place, machine)
    (tmp_path / "g" / "123").mkdir(parents=True)
    (tmp_path / "g" / "file").touch()
    assert resolve(place, machine) == tmp_path / "g" / "123" / "remote"
    (tmp_path / "g" / "456").mkdir()
    with pytest.raises(PlaceUnknown, match="several folders fit <storeUserId>: 123, 456"):
        resolve(place, machine)
    known = Machine(System.LINUX, tmp_path, "anna", store_user_id="456")
    assert resolve(place, known) == tmp_path / "g" / "456" / "remote"


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("", "place_length"),
        ("/etc", "place_part"),
        ("C:/g", "place_begins_with_a_folder"),
        ("~/g", "place_begins_with_a_folder"),
        ("saves", "place_begins_with_a_folder"),
        ("<home>/../g", "place_part"),
        ("<home>/./g", "place_part"),
        ("<home>\\g", "place_character"),
        ("<home>", "place_too_wide"),
        ("<winDir>", "place_too_wide"),
        ("<root>", "place_too_wide"),
        ("<winAppData>/*", "place_too_wide"),
        ("<winAppData>/<osUserName>", "place_too_wide"),
        ("<home>/*/saves", "place_too_wide"),
        ("<home>/g/**", "place_stars"),
        ("<home>/<home>/g", "place_begins_with_a_folder"),
        ("<osUserName>/g", "place_begins_with_a_folder"),
        ("<regHkcu>/g", "place_unknown_regHkcu"),
        ("<home/g", "place_brackets"),
    ],
)
def test_places_that_are_refused(place, rule):
    assert check_place(place) == rule


@pytest.mark.parametrize(
    "place", ["<base>", "<root>/<game>", "<root>/userdata/<storeUserId>/77/remote", "<home>/g/*/s"]
)
def test_places_that_are_fine(place):
    assert check_place(place) is None
