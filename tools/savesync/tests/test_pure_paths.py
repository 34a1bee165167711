"""Names on a disk and paths in the cloud: each system reads back what it wrote, and nothing leads out of a root."""

from unicodedata import normalize

import pytest
from gameshelf.savesync.paths import System, can_hold, escape, to_cloud, to_disk, two_on_disk, unescape, wrong_with
from hypothesis import example, given
from hypothesis import strategies as st

# Pieces that the escapes are about, more often than chance would make them.
PIECES = st.sampled_from([*"%:.? \\*<aA1é\x85", "%3A", "%25", "%2E", "CON", "nul", "COM1", "Мир", "%2F", "%00"])
NAMES = st.lists(PIECES, min_size=1, max_size=8).map("".join).map(lambda name: normalize("NFC", name))
SYSTEMS = st.sampled_from(System)


@given(NAMES, SYSTEMS)
@example("%2E%2E", System.LINUX)
@example("%253A", System.WINDOWS)
@example("a%25253Ab", System.WINDOWS)
def test_a_file_of_a_disk_comes_back_under_its_name(name, system):
    if can_hold(name, system):
        assert to_disk(to_cloud(name, system), system) == name


@given(NAMES.filter(lambda name: name not in (".", "..") and "/" not in name), SYSTEMS, SYSTEMS)
def test_a_path_survives_another_system(name, one, other):
    path = to_cloud(name, one)
    assert to_cloud(to_disk(path, other), other) == path


@given(NAMES, SYSTEMS)
def test_what_is_uploaded_is_a_path(name, system):
    if can_hold(name, system):
        assert wrong_with(to_cloud(name, system)) in (None, "path_part_too_long")


@given(NAMES, SYSTEMS)
@example("%2E%2E", System.LINUX)
@example(".%2E", System.LINUX)
@example("a%2Fb", System.LINUX)
@example("a%00b", System.LINUX)
@example("a%5Cb", System.WINDOWS)
def test_no_part_of_a_path_leads_out_of_its_folder(part, system):
    if wrong_with(part) is None:
        assert can_hold(to_disk(part, system), system)


@given(NAMES)
def test_an_escape_is_exact(name):
    assert unescape(escape(name)) == name


@given(st.lists(NAMES.map(escape), unique=True, max_size=12), SYSTEMS)
def test_two_paths_are_never_one_file_where_case_matters(parts, system):
    names = [to_disk(part, system) for part in parts if wrong_with(part) is None]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "system", "path"),
    [
        ("a:b.sav", System.LINUX, "a%3Ab.sav"),
        ("a%3Ab.sav", System.WINDOWS, "a%3Ab.sav"),  # what a Windows machine has of the file above
        ("a%3Ab.sav", System.LINUX, "a%253Ab.sav"),
        ("con/a", System.LINUX, "%63on/a"),
        ("100%", System.WINDOWS, "100%"),
        ("Мир ", System.MACOS, "Мир%20"),
        (normalize("NFD", "Ёлка"), System.MACOS, "Ёлка"),
    ],
)
def test_names_in_the_cloud(name, system, path):
    assert to_cloud(name, system) == path


def test_two_paths_of_one_disk_name_are_found():
    # Another client wrote the escape without need: this one would have read the second as a%2541.
    [found] = two_on_disk(["saves/a%2541", "saves/a%41"], System.LINUX)
    assert (found.path, found.other) == ("saves/a%41", "saves/a%2541")
    assert not list(two_on_disk(["x/a%3Ab", "x/c"], System.LINUX))
