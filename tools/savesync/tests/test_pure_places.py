"""Places of a policy on Windows, Linux, macOS and in Proton; places that would reach too much are refused."""

from pathlib import Path

import pytest
from gameshelf.savesync.errors import PlaceUnknown
from gameshelf.savesync.paths import System
from gameshelf.savesync.places import Machine, check_place, resolve, resolve_game

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
        (LINUX, "<xdgConfig>/unity3d/S/<osUserName>", "/home/anna/.config/unity3d/S/anna"),
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
    assert resolve_game("<base>/saves", machine) == tmp_path / "G"
    assert resolve("<base>/saves", Machine(System.LINUX, tmp_path, "anna", base=Path("/g"))) == Path("/g/saves")


def test_a_game_of_windows_in_proton(proton):
    user = proton.prefix / "drive_c" / "users" / "steamuser"
    assert proton.runs_as is System.WINDOWS
    assert resolve("<winLocalAppData>/G", proton) == user / "AppData" / "Local" / "G"
    assert resolve("<home>/Saved Games/G", proton) == user / "Saved Games" / "G"
    assert resolve("<winPublic>/G", proton) == proton.prefix / "drive_c" / "users" / "Public" / "G"
    assert resolve("<base>/saves", proton) == proton.library / "steamapps" / "common" / "G" / "saves"
    with pytest.raises(PlaceUnknown, match="<xdgData> is not known"):
        resolve("<xdgData>/g", proton)


def test_a_prefix_does_not_distinguish_case(proton):
    there = proton.prefix / "drive_c" / "users" / "steamuser" / "AppData" / "Local" / "mygame" / "SAVES"
    there.mkdir(parents=True)
    assert resolve("<winLocalAppData>/MyGame/Saves", proton) == there


def test_a_name_that_is_not_known_is_no_wildcard(tmp_path):
    """Another account of the store may have its saves there."""
    (tmp_path / "g" / "123").mkdir(parents=True)
    place = "<home>/g/<storeUserId>/remote"
    with pytest.raises(PlaceUnknown, match="<storeUserId> is not known"):
        resolve(place, Machine(System.LINUX, tmp_path, "anna"))
    known = Machine(System.LINUX, tmp_path, "anna", store_user_id="123")
    assert resolve(place, known) == tmp_path / "g" / "123" / "remote"


def test_a_name_must_not_lead_to_secrets(tmp_path):
    """A folder of a library may have any name, and a policy for all games may have its name in a place."""
    place = "<home>/<game>/saves"
    assert check_place(place) is None
    assert resolve(place, Machine(System.LINUX, tmp_path, "anna", game="G")) == tmp_path / "G" / "saves"
    for name, rule in ((".ssh", "place_private"), ("..", "place_part_dots"), ("a/../..", "place_part_dots")):
        with pytest.raises(PlaceUnknown, match=f"breaks the rule {rule}"):
            resolve(place, Machine(System.LINUX, tmp_path, "anna", game=name))


def test_a_wildcard_is_the_only_folder_that_fits(tmp_path):
    machine = Machine(System.LINUX, tmp_path, "anna", store_user_id="[1]")
    place = "<home>/Vendor.Game_*/<storeUserId>?/s"
    with pytest.raises(PlaceUnknown, match=r"no folder fits Vendor.Game_\* yet"):
        resolve(place, machine)
    (tmp_path / "Vendor.Game_8wekyb" / "[1]a").mkdir(parents=True)
    (tmp_path / "Vendor.Game_8wekyb" / "1a").mkdir()
    (tmp_path / "Vendor.Game_file").touch()
    assert resolve(place, machine) == tmp_path / "Vendor.Game_8wekyb" / "[1]a" / "s"
    (tmp_path / "Vendor.Game_other").mkdir()
    with pytest.raises(PlaceUnknown, match="several folders fit"):
        resolve(place, machine)


def test_a_hostile_place_takes_bounded_steps(tmp_path):
    (tmp_path / ("a" * 200)).mkdir()
    place = "<home>/abc" + "*a" * 200 + "*b"
    assert check_place(place) is None
    with pytest.raises(PlaceUnknown):
        resolve(place, Machine(System.LINUX, tmp_path, "anna"))
    assert check_place("<home>/" + "?*" * 200 + "b") == "place_too_wide"


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("<home>/.g/saves", ".g"),
        ("<home>/Documents/My Games/G/Saves", "Documents/My Games/G"),
        ("<xdgData>/unity3d/Studio/G", ".local/share/unity3d/Studio"),
        ("<xdgData>/g/saves", ".local/share/g"),
        ("<home>/g", "g"),
    ],
)
def test_the_folder_that_is_the_games_alone(tmp_path, place, folder):
    assert resolve_game(place, Machine(System.LINUX, tmp_path, "anna")) == tmp_path / folder
