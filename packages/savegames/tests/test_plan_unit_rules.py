"""Plans compare units by their hashes alone, and decide what a merge of the lists decides."""

from uuid import UUID

from gameshelf.savegames._differences import automatic_merge
from gameshelf.savegames._files import SaveFile, ordered
from gameshelf.savegames._guards import shrinks_covered
from gameshelf.savegames._lists import encode
from gameshelf.savegames._paths import fold
from gameshelf.savegames._plan_units import MAX_COMPARED_FILES, ComparedUnits, compare_units
from gameshelf.savegames._policies import from_event
from gameshelf.savegames._units import SaveUnits
from hypothesis import given
from hypothesis import strategies as st

UNITS = {"merge": "units", "units": [{"name": "{w}", "match": ["saves/{w}/**"]}]}
POLICY = from_event(UNITS).policy
NARROW = from_event({**UNITS, "roots": {"saves": {"include": ["*/**"]}}}).policy
HEAD, BASE = UUID(int=1), UUID(int=2)
PATHS = ("saves/w1/a", "saves/W1/b", "saves/w2/a", "saves/options", "other/x")
LISTS = st.dictionaries(st.sampled_from(PATHS), st.sampled_from([b"1" * 32, b"2" * 32]), min_size=1)


def files(contents):
    return ordered(SaveFile(path, 1, content) for path, content in contents.items())


def compared(head, base, branch, policy=POLICY, count=1):
    hashes = {fold(name): content for name, content in SaveUnits(policy).hashes(branch).items()}
    bodies = {key: encode(one) for key, one in ((HEAD, head), (BASE, base)) if one}
    return compare_units([ComparedUnits(7, HEAD, BASE if base else None, count, hashes)], bodies, policy).get(7)


@given(LISTS, st.just({}) | LISTS, LISTS)
def test_hashes_decide_as_the_lists_do(head, base, branch):
    head, base, branch, units = files(head), files(base), files(branch), SaveUnits(POLICY)
    merged = automatic_merge(base, head, branch, units)
    found = compared(head, base, branch)
    if merged is None:
        assert found is False
    elif not shrinks_covered(head, merged.files, POLICY):
        assert found is True
    elif found:  # the hash of a unit does not say which files of it are gone
        ours, theirs = units.split(head), units.split(branch)
        assert any(ours[key].files.keys() - theirs[key].files.keys() for key in ours.keys() & theirs.keys())


def test_a_unit_that_the_device_lacks_is_never_merged_away():
    one = b"1" * 32
    base = files({"saves/w1/a": one, "saves/w2/a": one, "saves/options": one})
    head = files({"saves/w1/a": b"2" * 32, "saves/w2/a": one, "saves/options": one})
    assert compared(head, base, files({"saves/w1/a": one, "saves/options": one})) is False
    assert compared(head, base, files({"saves/w1/a": one, "saves/w2/a": one})) is True  # no declared unit
    few = files({"saves/w1/a": one, "saves/w2/a": one})
    assert compared(few, few, files({"saves/w1/a": one})) is True  # too few files to be asked for
    assert compared(few, files({"saves/w1/a": one, "saves/w2/a": one}), ()) is False  # nothing would be left


def test_what_the_policy_no_longer_covers_is_not_compared():
    one, two = b"1" * 32, b"2" * 32
    branch = files({"saves/w1/a": two})
    head, base = files({"saves/w1/a": one, "saves/options": two}), files({"saves/w1/a": one, "saves/options": one})
    assert compared(head, base, branch, NARROW) is True
    assert compared(head, base, branch) is False


def test_lists_that_are_too_long_together_are_not_compared():
    one = files({"saves/w1/a": b"1" * 32})
    assert compared(one, one, one, count=MAX_COMPARED_FILES) is True
    assert compared(one, one, one, count=MAX_COMPARED_FILES + 1) is None
