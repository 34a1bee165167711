"""Guards of an upload onto the head, on plain values."""

from hashlib import sha256

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._files import SaveFile, ordered
from gameshelf.savegames._guards import RemovedFiles, is_synced, removed_files, shrinks
from gameshelf.savegames._policies import DEFAULT_POLICY, SavePolicy
from gameshelf.savegames._units import SaveUnits
from hypothesis import given, settings
from hypothesis import strategies as st

WORLDS = SaveUnits(SavePolicy.model_validate({"units": [{"name": "{w}", "match": ["saves/{w}/**"]}]}))
WHOLE = SaveUnits(DEFAULT_POLICY)


def files(*paths, size=10):
    return ordered(SaveFile(path, size, sha256(path.encode()).digest()) for path in paths)


def numbered(count, world="w"):
    return files(*(f"saves/{world}/{index}" for index in range(count)))


@pytest.mark.parametrize(
    ("head", "new", "units", "found"),
    [
        (numbered(49), numbered(13), WHOLE, RemovedFiles(36, 360, ())),  # scenario 17
        (numbered(4), numbered(2), WHOLE, None),
        (numbered(4), numbered(1), WHOLE, RemovedFiles(3, 30, ())),
        (numbered(2), files("x"), WHOLE, None),
        (numbered(3), files("x"), WHOLE, RemovedFiles(3, 30, ())),
        (numbered(3), files("x"), WORLDS, RemovedFiles(3, 30, ("w",))),
        (numbered(10) + numbered(1, "W2"), numbered(10), WORLDS, RemovedFiles(1, 10, ("W2",))),
        (numbered(10) + numbered(1, "w2"), numbered(10), WHOLE, None),
        (numbered(10) + files("config/a"), numbered(10), WORLDS, None),  # the rest of a root is not declared
        (numbered(9) + files("big", size=1000), numbered(9), WHOLE, RemovedFiles(1, 1000, ())),
        (numbered(3), files("SAVES/W/0", "saves/w/1", "saves/w/2"), WORLDS, None),
        (files("a", "b", "c", size=0), files("a", "b"), WHOLE, None),
    ],
)
def test_what_has_to_be_confirmed(head, new, units, found):
    assert shrinks(ordered(head), new, units) == found


def test_a_file_that_became_shorter_is_not_removed():
    assert removed_files(files("a", "b", "c", size=1000), files("a", "b", "c", size=0), WHOLE) is None


def test_a_unit_with_other_files_is_not_removed():
    """Some games write each save under a new name."""
    head, new = (
        files("saves/w/1", *(f"x/{index}" for index in range(9))),
        files("saves/w/2", *(f"x/{index}" for index in range(9))),
    )
    assert removed_files(head, new, WORLDS) == RemovedFiles(1, 10, ())
    assert shrinks(head, new, WORLDS) is None


def of(world, paths):
    return {path for path in paths if world in path}


paths = st.sets(st.sampled_from([f"saves/{world}/{index}" for world in ("w1", "w2") for index in range(4)]))


@settings(max_examples=sized(30, 150), derandomize=True)
@given(paths, paths, st.sampled_from([WORLDS, WHOLE]))
def test_removed_files_are_those_that_the_new_list_lacks(head, new, units):
    found = removed_files(files(*head), files(*new), units)
    assert (found.files if found else 0) == len(head - new)
    assert (found.bytes if found else 0) == 10 * len(head - new)
    lost = {world for world in ("w1", "w2") if of(world, head) and not of(world, new)}
    assert (set(found.units) if found else set()) == (lost if units.declared else set())


@settings(max_examples=sized(30, 150), derandomize=True)
@given(paths, paths, st.sampled_from([WORLDS, WHOLE]))
def test_only_a_list_that_lacks_much_has_to_be_confirmed(head, new, units):
    found = shrinks(files(*head), files(*new), units)
    removed = removed_files(files(*head), files(*new), units)
    assert found in (None, removed)
    asked = removed is not None and len(head) >= 3 and (2 * removed.files > len(head) or bool(removed.units))
    assert (found is not None) == asked


@settings(derandomize=True)
@given(paths, paths)
def test_adding_files_is_never_asked_for(head, added):
    assert shrinks(files(*head), files(*head, *added), WORLDS) is None


@pytest.mark.parametrize(
    ("device_version", "head_device", "synced"),
    [(7, None, True), (7, "other", True), (6, "deck", True), (None, "deck", True), (6, "other", False),
     (None, None, False), (8, None, False)],
)  # fmt: skip
def test_a_device_has_what_it_uploaded_reported_or_restored(device_version, head_device, synced):
    assert is_synced("deck", device_version, 7, head_device) is synced
