"""Units of a save, on plain values."""

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._files import SaveFile, identity_of, ordered
from gameshelf.savegames._paths import fold
from gameshelf.savegames._policies import DEFAULT_POLICY, SavePolicy
from gameshelf.savegames._units import MAX_UNIT_NAME, SaveUnits
from hypothesis import given, settings
from hypothesis import strategies as st


def units(*rules):
    return SaveUnits(SavePolicy.model_validate({"units": [{"name": name, "match": match} for name, *match in rules]}))


WORLDS = units(("{w}", "saves/{w}/**"))
CHARACTERS = units(("{s}", "saves/{s}.ess", "saves/{s}.skse"), ("profile {a}-{b}", "profiles/{a}/{b}.json"))


@pytest.mark.parametrize(
    ("found", "path", "unit"),
    [
        (WORLDS, "saves/w1/level.dat", "w1"),
        (WORLDS, "SAVES/W1/level.dat", "W1"),
        (WORLDS, "saves/options.ini", "saves/"),
        (WORLDS, "Config/options.ini", "Config/"),
        (WORLDS, "options.ini", "options.ini/"),
        (CHARACTERS, "saves/slot1.ess", "slot1"),
        (CHARACTERS, "saves/slot1.skse", "slot1"),
        (CHARACTERS, "profiles/x/y.json", "profile x-y"),
        (SaveUnits(DEFAULT_POLICY), "saves/w1/level.dat", "/"),
    ],
)
def test_the_unit_of_a_path(found, path, unit):
    assert found.unit_of(path) == unit


def test_the_first_rule_that_matches_counts():
    found = units(("settings", "saves/*/options.ini"), ("{w}", "saves/{w}/**"))
    assert found.unit_of("saves/w1/options.ini") == "settings"
    assert found.unit_of("saves/w1/level.dat") == "w1"


paths = st.lists(
    st.sampled_from(["saves", "Saves", "config", "w1", "W1", "w2", "é", "É", "a.dat", "J\u030c", "ǰ"]),
    min_size=1,
    max_size=4,
).map("/".join)


def files_of(found):
    return ordered({fold(path): SaveFile(path, 1, bytes([len(path)]) * 32) for path in found}.values())


@settings(max_examples=sized(30, 150), derandomize=True)
@given(st.lists(paths), st.sampled_from([WORLDS, CHARACTERS, SaveUnits(DEFAULT_POLICY)]))
def test_each_file_is_in_one_unit(listed, found):
    files = files_of(listed)
    split = found.split(files)
    assert ordered(file for unit in split.values() for file in unit.files.values()) == files
    for key, unit in split.items():
        assert key == fold(unit.name)
        assert {fold(found.unit_of(file.path)) for file in unit.files.values()} == {key}
        assert unit.files.keys() == {fold(file.path) for file in unit.files.values()}


@settings(max_examples=sized(30, 150), derandomize=True)
@given(paths, st.sampled_from([WORLDS, CHARACTERS]))
def test_all_spellings_of_a_path_are_in_one_unit(path, found):
    spellings = {path, fold(path), path.upper(), path.title()}
    same = {spelling for spelling in spellings if fold(spelling) == fold(path)}
    assert len({fold(found.unit_of(spelling)) for spelling in same}) == 1


def test_a_unit_has_the_spelling_of_its_first_file():
    split = WORLDS.split(files_of(["saves/World/a", "saves/world/b"]))
    assert [(key, unit.name, unit.is_declared) for key, unit in split.items()] == [("world", "World", True)]
    assert not WORLDS.split(files_of(["saves/a"]))["saves/"].is_declared


def test_a_name_that_is_too_long_ends_in_its_hash():
    deep = units(("{a}{b}", "saves/{a}/{b}/**"))
    one, other = (deep.unit_of(f"saves/{'A' * 255}/{'b' * 254}{last}/x") for last in "yz")
    assert len(one) == len(other) == MAX_UNIT_NAME
    assert one[:238] == other[:238] == "a" * 238
    assert one[238] == "~"
    assert one != other
    assert deep.unit_of(f"saves/{'a' * 255}/{'B' * 254}y/x") == one
    assert deep.unit_of(f"saves/{'A' * 100}/{'b' * 155}/x") == "A" * 100 + "b" * 155


def test_hashes_of_units_are_those_of_their_files():
    files = files_of(["saves/w1/a", "saves/w2/a", "saves/options.ini"])
    assert WORLDS.hashes(files) == {
        "w1": identity_of(files_of(["saves/w1/a"])),
        "w2": identity_of(files_of(["saves/w2/a"])),
        "saves/": identity_of(files_of(["saves/options.ini"])),
    }


def test_a_product_without_units_declares_none():
    assert WORLDS.declared
    assert not SaveUnits(DEFAULT_POLICY).declared
