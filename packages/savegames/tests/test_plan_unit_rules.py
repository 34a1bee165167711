"""Plans compare units by their hashes alone, and decide what a merge of the lists decides."""

from uuid import UUID

from gameshelf.savegames._differences import merges_itself, three_way
from gameshelf.savegames._files import SaveFile, ordered
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
    head, base, branch = files(head), files(base), files(branch)
    expected = merges_itself(three_way(base, head, branch, SaveUnits(POLICY)), base_known=True)
    assert compared(head, base, branch) is expected


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
