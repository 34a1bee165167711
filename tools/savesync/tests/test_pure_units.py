"""Units of a save: every file is of one unit, and the name of a unit does not depend on how a path is spelt."""

from dataclasses import dataclass

import pytest
from gameshelf.savesync.canonical import content_identity, list_hash
from gameshelf.savesync.errors import RestoreImpossible
from gameshelf.savesync.files import CloudFile
from gameshelf.savesync.patterns import PathPattern
from gameshelf.savesync.units import UnitPatterns, split, unit_hashes, with_units_of
from hypothesis import given
from hypothesis import strategies as st

WORLDS = [UnitPatterns("{w}", (PathPattern.parse("saves/{w}/**"),))]
PATHS = st.lists(st.sampled_from("abAB"), min_size=1, max_size=4).map("/".join).map(lambda path: f"saves/{path}")


@dataclass(frozen=True)
class Content:
    sha256: str
    identity: str


@given(st.dictionaries(PATHS, st.sampled_from("0123").map(lambda one: Content(one, one))))
def test_the_units_of_a_list_are_the_list(files):
    units = split(files, WORLDS)
    assert {path: file for unit in units.values() for path, file in unit.items()} == files
    assert sum(map(len, units.values())) == len(files)


def test_names_that_fold_the_same_are_one_unit():
    files = {f"saves/{path}": Content("0", "0") for path in ("Мир/a", "мир/b", "options.ini")}
    assert {name: sorted(unit) for name, unit in split(files, WORLDS).items()} == {
        "Мир": ["saves/Мир/a", "saves/мир/b"],
        "saves/": ["saves/options.ini"],
    }


def test_no_units_are_declared():
    files = {"saves/a": Content("0", "0")}
    assert split(files, []) == {"/": files}
    assert unit_hashes(files, []) == {}
    assert unit_hashes(files, WORLDS) == {"saves/": content_identity(files)}


def test_a_packed_file_is_what_it_was_before():
    packed = CloudFile(1, "aa", raw_sha256="bb", content_encoding="gzip")
    encrypted = CloudFile(1, "aa", encryption={"scheme": "age", "key_id": "1", "identity": "cc"})
    marked = CloudFile(1, "aa", content_encoding="lzma")
    assert [file.identity for file in (packed, encrypted, marked)] == ["bb", "cc", "aa"]
    assert [file.disk_sha256 for file in (packed, marked)] == ["bb", "aa"]
    assert list_hash({"a": packed}) != content_identity({"a": packed})


def test_units_of_another_save_take_the_place_of_own_ones():
    own = {f"saves/{path}": Content("0", "0") for path in ("w1/a", "w1/b", "w2/a", "options")}
    other = {f"saves/{path}": Content("1", "1") for path in ("W1/a", "w3/a")}
    assert with_units_of(own, other, ["w1"], WORLDS) == {
        **{path: own[path] for path in ("saves/w2/a", "saves/options")},
        "saves/W1/a": Content("1", "1"),
    }
    assert with_units_of({}, other, ["w3", "w1"], WORLDS) == other
    with pytest.raises(RestoreImpossible, match="no unit 'w2'; there are 'W1', 'w3'"):
        with_units_of(own, other, ["w2"], WORLDS)


SIDES = [st.dictionaries(PATHS, st.just(Content(one, one))) for one in "01"]


@given(*SIDES, st.data())
def test_no_unit_has_files_of_both_sides(own, other, data):
    names = data.draw(st.lists(st.sampled_from(sorted(split(other, WORLDS))))) if other else []
    mixed = with_units_of(own, other, names, WORLDS)
    for unit in split(mixed, WORLDS).values():
        assert len(set(unit.values())) == 1
