"""Three-way differences and merges by units, on plain values."""

from hashlib import sha256

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._differences import (
    Merged,
    MergeObstacle,
    MergeSide,
    UnknownUnits,
    UnnamedUnits,
    automatic_merge,
    merge,
    merges_itself,
    take_units,
    three_way,
)
from gameshelf.savegames._files import SaveFile, ordered
from gameshelf.savegames._limits import MAX_SET_FILES
from gameshelf.savegames._paths import fold, problems
from gameshelf.savegames._policies import DEFAULT_POLICY, SavePolicy
from gameshelf.savegames._units import SaveUnits
from hypothesis import given, settings
from hypothesis import strategies as st

WORLDS = SaveUnits(SavePolicy.model_validate({"units": [{"name": "{w}", "match": ["saves/{w}/**"]}]}))
WHOLE = SaveUnits(DEFAULT_POLICY)
PATHS = ["saves/w1/a", "saves/w1/b", "saves/w2/a", "saves/w2/b", "saves/w3", "config/a"]
HEAD, BRANCH = MergeSide.HEAD, MergeSide.BRANCH
OTHER = {HEAD: BRANCH, BRANCH: HEAD}
MIRRORED = {
    "head_changed": "branch_changed",
    "branch_changed": "head_changed",
    "head_deleted": "branch_deleted",
    "branch_deleted": "head_deleted",
    "both_changed": "both_changed",
    "delete_vs_change": "delete_vs_change",
}


def files(**worlds):
    """A file ``a`` per world; its content is the value."""
    return ordered(file(f"saves/{world}/a", str(content)) for world, content in worlds.items())


def file(path, content):
    return SaveFile(path, len(content), sha256(content.encode()).digest())


def lists():
    """Files with few contents, of which some have another spelling; most are absent from a list."""
    kinds = st.sampled_from([None, None, "1", "2", "3", "upper"])
    return st.tuples(*[kinds] * len(PATHS)).map(_list)


def _list(kinds):
    return ordered(
        file(path.upper(), "1") if kind == "upper" else file(path, kind)
        for path, kind in zip(PATHS, kinds, strict=True)
        if kind
    )


def contents(found, units=WORLDS):
    """The content of each unit: identities by the keys of the paths."""
    return {key: unit.content for key, unit in units.split(found).items()}


def choices_for(draw, differences):
    """Choices for all units that need one, and for some of the others."""
    named = [one for one in differences if one.suggested is None or draw(st.booleans())]
    return {one.unit: draw(st.sampled_from(MergeSide)) for one in named}


@pytest.mark.parametrize(
    ("base", "head", "branch", "found"),
    [
        (files(w1=1, w2=1), files(w1=2, w2=1), files(w1=1, w2=2), [("w1", "head_changed", HEAD),
                                                                  ("w2", "branch_changed", BRANCH)]),
        (files(w1=1), files(w1=2), files(w1=3), [("w1", "both_changed", None)]),
        (files(w1=1), files(w1=2), files(w1=2), []),
        (files(w1=1, w2=1), files(w2=1), files(w1=1, w2=1), [("w1", "head_deleted", HEAD)]),
        (files(w1=1, w2=1), files(w1=1, w2=1), files(w2=1), [("w1", "branch_deleted", BRANCH)]),
        (files(w1=1, w2=1), files(w2=1), files(w1=2, w2=1), [("w1", "delete_vs_change", None)]),
        (files(w1=1, w2=1), files(w1=2, w2=1), files(w2=1), [("w1", "delete_vs_change", None)]),
        ((), files(w1=1), files(w2=1), [("w1", "head_changed", HEAD), ("w2", "branch_changed", BRANCH)]),
        ((), files(w1=1), files(w1=2), [("w1", "both_changed", None)]),
        (None, files(w1=1), files(w2=1), [("w1", "both_changed", None), ("w2", "both_changed", None)]),
        (files(w1=1), files(w1=1), files(W1=1), []),
    ],
)  # fmt: skip
def test_the_difference_of_a_unit(base, head, branch, found):
    assert [(one.unit, one.kind, one.suggested) for one in three_way(base, head, branch, WORLDS)] == found


def test_a_product_without_units_has_one_difference():
    (found,) = three_way(files(w1=1, w2=1), files(w1=2, w2=1), files(w1=1, w2=2), WHOLE)
    assert (found.unit, found.kind, found.suggested) == ("/", "both_changed", None)
    assert [one.path for one in found.paths] == ["saves/w1/a", "saves/w2/a"]


def test_a_difference_has_the_files_of_all_sides():
    base, head = [file("saves/w1/a", "1"), file("saves/w1/b", "1")], [file("saves/w1/a", "2"), file("saves/w1/b", "1")]
    branch = [file("Saves/w1/A", "1"), file("saves/w1/b", "1"), file("saves/w1/c", "1")]
    (found,) = three_way(ordered(base), ordered(head), ordered(branch), WORLDS)
    assert [(one.path, one.base, one.head, one.branch) for one in found.paths] == [
        ("Saves/w1/A", base[0], head[0], branch[0]),
        ("saves/w1/c", None, None, branch[2]),
    ]


def test_packing_and_times_are_no_difference():
    plain, packed = file("saves/w1/a", "x"), SaveFile("saves/w1/a", 1, b"\x01" * 32, sha256(b"x").digest())
    assert three_way((), (plain,), (packed,), WORLDS) == ()


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists())
def test_units_that_differ_are_those_whose_files_differ(base, head, branch):
    found = three_way(base, head, branch, WORLDS)
    ours, theirs = contents(head), contents(branch)
    differing = {key for key in ours.keys() | theirs.keys() if ours.get(key, {}) != theirs.get(key, {})}
    assert {fold(one.unit) for one in found} == differing
    assert [one.unit for one in found] == sorted((one.unit for one in found), key=str.encode)
    for one in found:
        assert one.paths
        assert (one.suggested is None) == (one.kind in ("both_changed", "delete_vs_change"))


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists())
def test_swapping_the_sides_mirrors_the_differences(base, head, branch):
    found = {fold(one.unit): one for one in three_way(base, head, branch, WORLDS)}
    mirrored = {fold(one.unit): one for one in three_way(base, branch, head, WORLDS)}
    assert found.keys() == mirrored.keys()
    for key, one in found.items():
        assert mirrored[key].kind == MIRRORED[one.kind]
        assert mirrored[key].suggested == (OTHER[one.suggested] if one.suggested else None)


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists(), st.data())
def test_each_unit_of_a_merge_is_that_of_one_side(base, head, branch, data):
    """No version ever holds a unit that nobody saved."""
    differences = three_way(base, head, branch, WORLDS)
    choices = choices_for(data.draw, differences)
    found = merge(base, head, branch, WORLDS, choices)
    ours, theirs = contents(head), contents(branch)
    suggested = {fold(one.unit): one.suggested for one in differences}
    chosen = suggested | {fold(name): side for name, side in choices.items()}
    expected = {
        key: (theirs if chosen.get(key) is BRANCH else ours).get(key, {}) for key in ours.keys() | theirs.keys()
    }
    expected = {key: unit for key, unit in expected.items() if unit}
    if isinstance(found, Merged):
        assert contents(found.files) == expected
        assert found.files == ordered(found.files)
        assert problems([one.path for one in found.files], str) == []
    else:
        assert found == (MergeObstacle.UNITS_MEET if expected else MergeObstacle.EMPTY)


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists())
def test_a_merge_asks_for_all_that_has_no_suggestion(base, head, branch):
    differences = three_way(base, head, branch, WORLDS)
    unnamed = tuple(one.unit for one in differences if one.suggested is None)
    found = merge(base, head, branch, WORLDS, {})
    assert (found == UnnamedUnits(unnamed)) == bool(unnamed)
    automatic = automatic_merge(base, head, branch, WORLDS)
    assert automatic is None or (automatic == found and merges_itself(differences, base_known=base is not None))


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists())
def test_a_unit_that_both_have_changed_never_merges_itself(base, head, branch):
    before, ours, theirs = contents(base or ()), contents(head), contents(branch)
    changed = [
        key
        for key in ours.keys() | theirs.keys() | before.keys()
        if ours.get(key, {}) != before.get(key, {}) != theirs.get(key, {}) != ours.get(key, {})
    ]
    if changed or base is None:
        assert automatic_merge(base, head, branch, WORLDS) is None


@settings(max_examples=sized(20, 100), derandomize=True)
@given(lists(), lists())
def test_the_side_that_alone_has_changed_is_the_merge(base, changed):
    for one, other in ((base, changed), (changed, base)):
        found = merge(base, one, other, WORLDS, {})
        if changed:
            assert isinstance(found, Merged)
            assert contents(found.files) == contents(changed)
        else:
            assert found is MergeObstacle.EMPTY


@settings(max_examples=sized(20, 100), derandomize=True)
@given(st.none() | lists(), lists(), lists(), st.data())
def test_merging_the_branch_again_changes_nothing(base, head, branch, data):
    choices = choices_for(data.draw, three_way(base, head, branch, WORLDS))
    once = merge(base, head, branch, WORLDS, choices)
    if isinstance(once, Merged):
        again = merge(branch, once.files, branch, WORLDS, {})
        assert isinstance(again, Merged)
        assert contents(again.files) == contents(once.files)


def test_a_merge_needs_units():
    assert merge((), files(w1=1), files(w2=1), WHOLE, {}) is MergeObstacle.NO_UNITS
    assert automatic_merge((), files(w1=1), files(w2=1), WHOLE) is None


@pytest.mark.parametrize(
    ("choices", "keys"),
    [
        ({"w3": HEAD}, ("w3",)),
        ({"saves/w1/a": HEAD, "/": BRANCH, "w1": HEAD}, ("saves/w1/a", "/")),
        ({"w1": HEAD, "W1": BRANCH}, ("W1",)),
    ],
)
def test_a_key_that_is_no_unit(choices, keys):
    assert merge((), files(w1=1), files(w1=2), WORLDS, choices) == UnknownUnits(keys)


def test_a_choice_may_differ_from_a_suggestion():
    found = merge(files(w1=1, w2=1), files(w1=2, w2=1), files(w1=1, w2=1), WORLDS, {"W1": BRANCH})
    assert found == Merged(files(w1=1, w2=1))


def test_a_unit_without_a_difference_keeps_the_spelling_of_the_head():
    head, branch = files(w1=1, w2=1), files(W1=1, w2=2)
    assert merge(files(w1=1, w2=1), head, branch, WORLDS, {"w1": BRANCH}) == Merged(files(w1=1, w2=2))


def test_a_file_may_not_be_a_folder_of_another_unit():
    head, branch = ordered([file("saves/w1", "1")]), ordered([file("saves/w1/a", "1")])
    assert merge((), head, branch, WORLDS, {}) is MergeObstacle.UNITS_MEET
    assert merge((), head, branch, WORLDS, {"saves/": BRANCH}) == Merged(branch)


def test_a_merge_has_at_most_so_many_files():
    ours = ordered(file(f"saves/w1/{index}", "1") for index in range(MAX_SET_FILES))
    assert merge((), ours, files(w2=1), WORLDS, {}) is MergeObstacle.TOO_MANY_FILES
    found = merge(ours, ours[:-1], (*ours[:-1], *files(w2=1)), WORLDS, {"w1": HEAD})
    assert isinstance(found, Merged)
    assert len(found.files) == MAX_SET_FILES


NARROWED = SavePolicy.model_validate(
    {
        "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
        "roots": {"saves": {"include": ["**"], "exclude": ["**/*.log"]}},
    }
)


def worlds(text):
    """Files of worlds: ``w1/a=1 w1/x.log=2``."""
    return ordered(file(f"saves/{path}", content) for path, content in (one.split("=") for one in text.split()))


@pytest.mark.parametrize(
    ("base", "head", "branch", "merged"),
    [
        # The branch was saved since the policy covers no logs: those of the head stay.
        ("w1/a=1 w1/l.log=1", "w1/a=1 w1/l.log=2", "w1/a=2", "w1/a=2 w1/l.log=2"),
        # It was saved before: it brings its own, and only those.
        ("w1/a=1", "w1/a=1 w1/l.log=1 w1/m.log=1", "w1/a=2 w1/l.log=3", "w1/a=2 w1/l.log=3"),
        # The branch has deleted the unit, but no log.
        ("w1/a=1 w2/a=1", "w1/a=1 w1/l.log=1 w2/a=1", "w2/a=1", "w1/l.log=1 w2/a=1"),
        # The unit of the head stays as it is.
        ("w1/a=1 w1/l.log=1", "w1/a=2", "w1/a=1 w1/l.log=1", "w1/a=2"),
        # Where the log would be a folder, it hinders no merge.
        ("w1/a=1", "w1/a=1 w1/l.log=1", "w1/a=1 w1/l.log/b=1", "w1/a=1 w1/l.log/b=1"),
    ],
)
def test_a_merge_keeps_what_the_policy_does_not_cover(base, head, branch, merged):
    found = merge(worlds(base), worlds(head), worlds(branch), SaveUnits(NARROWED), {})
    assert found == Merged(worlds(merged))


def test_a_restored_unit_keeps_what_the_policy_does_not_cover():
    head, version = worlds("w1/a=2 w1/l.log=2 w2/a=2 w2/l.log=2"), worlds("w1/a=1 w3/a=1 w3/l.log=1")
    found = take_units(head, version, SaveUnits(NARROWED), ["w1", "W2", "w3"])
    assert found == Merged(worlds("w1/a=1 w1/l.log=2 w2/l.log=2 w3/a=1 w3/l.log=1"))
    assert take_units(worlds("w1/a=1 w1/l.log=1"), worlds("w2/a=1"), SaveUnits(NARROWED), ["w1"]) is MergeObstacle.EMPTY


@settings(max_examples=sized(20, 100), derandomize=True)
@given(lists(), lists(), st.data())
def test_taken_units_replace_those_of_the_head(head, version, data):
    ours, theirs = contents(head), contents(version)
    names = data.draw(st.sets(st.sampled_from(sorted(ours.keys() | theirs.keys()) or ["none"])))
    found = take_units(head, version, WORLDS, names)
    if not names <= ours.keys() | theirs.keys():
        assert found == UnknownUnits(("none",))
    elif isinstance(found, Merged):
        kept = {key: unit for key, unit in ours.items() if key not in names}
        assert contents(found.files) == kept | {key: unit for key, unit in theirs.items() if key in names}
    else:
        assert found in (MergeObstacle.EMPTY, MergeObstacle.UNITS_MEET)


def test_a_restored_unit_leaves_the_others_alone():
    found = take_units(files(w1=2, w2=2, w3=2), files(w1=1, W2=1), WORLDS, ["w2", "W3"])
    assert found == Merged(ordered([*files(w1=2), *files(W2=1)]))
    assert take_units(files(w1=2), files(w2=1), WORLDS, ["w3", "w1"]) == UnknownUnits(("w3",))
