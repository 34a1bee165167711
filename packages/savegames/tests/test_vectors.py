"""The vectors in ``protos/savesets``, which other implementations read too, are what these modules compute."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from gameshelf.savegames._differences import (
    Merged,
    MergeObstacle,
    MergeSide,
    UnknownUnits,
    UnnamedUnits,
    merge,
    three_way,
)
from gameshelf.savegames._files import SaveFile, canonical_hash, ordered
from gameshelf.savegames._paths import fold, problems, wrong_with
from gameshelf.savegames._patterns import InvalidPattern, parse_pattern
from gameshelf.savegames._places import PRIVATE_FOLDERS, SAME_FOLDERS, SHARED_FOLDERS, InvalidPlace, require_narrow
from gameshelf.savegames._policies import Coverage, SavePolicy
from gameshelf.savegames._policy_lint import lint_document
from gameshelf.savegames._units import SaveUnits

VECTORS = Path(__file__).parents[3] / "protos/savesets"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


PATHS, POLICY = vectors("paths"), vectors("policy")


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


@named(vectors("hash"))
def test_hashes_of_a_list(case):
    listed = case["files"]
    assert (
        canonical_hash((bytes.fromhex(one["sha256"]), one["path"]) for one in listed).hex() == case["file_hash_sha256"]
    )
    identities = [(bytes.fromhex(one.get("identity", one["sha256"])), one["path"]) for one in reversed(listed)]
    assert canonical_hash(identities).hex() == case["content_identity"]


def test_rules_of_a_path():
    assert [(one["path"], wrong_with(one["path"])) for one in PATHS["paths"]] == [
        (one["path"], one["rule"]) for one in PATHS["paths"]
    ]


@pytest.mark.parametrize("case", PATHS["lists"], ids=lambda case: " ".join(case["paths"])[:40])
def test_rules_of_a_list_of_paths(case):
    found = problems(case["paths"], str)
    assert [
        [int(one.pointer), one.rule, int(one.params["other"]) if "other" in one.params else None] for one in found
    ] == case["problems"]


def test_folds():
    assert [fold(one["path"]) for one in PATHS["folds"]] == [one["fold"] for one in PATHS["folds"]]


def test_escaped_names_are_parts_of_paths():
    assert [wrong_with(one["part"]) for one in PATHS["escapes"]] == [None] * len(PATHS["escapes"])


@pytest.mark.parametrize("case", POLICY["patterns"], ids=lambda case: case["pattern"])
def test_what_a_pattern_captures(case):
    pattern = parse_pattern(case["pattern"])
    assert [pattern.match(one["path"]) for one in case["cases"]] == [one["captures"] for one in case["cases"]]


@pytest.mark.parametrize("case", POLICY["refused_patterns"], ids=lambda case: case["rule"])
def test_a_refused_pattern(case):
    with pytest.raises(InvalidPattern) as caught:
        parse_pattern(case["pattern"])
    assert caught.value.rule == case["rule"]


@pytest.mark.parametrize("case", POLICY["places"], ids=lambda case: case["place"])
def test_a_place(case):
    assert wrong_with_place(case["place"]) == case["rule"]


def test_folders_of_other_programs():
    assert POLICY["same_folders"] == SAME_FOLDERS
    for folders, name in ((SHARED_FOLDERS, "shared_folders"), (PRIVATE_FOLDERS, "private_folders")):
        assert {placeholder: sorted(listed) for placeholder, listed in folders.items()} == POLICY[name]
        assert all(fold(folder) == folder for listed in folders.values() for folder in listed)


def wrong_with_place(place):
    try:
        require_narrow(place)
    except InvalidPlace as error:
        return error.rule
    return None


@pytest.mark.parametrize("case", POLICY["units"], ids=lambda case: case["path"][:40])
def test_the_unit_of_a_path(case):
    assert SaveUnits(SavePolicy.model_validate({"units": case["units"]})).unit_of(case["path"]) == case["unit"]


@named(POLICY["coverage"])
def test_what_a_policy_covers(case):
    coverage = Coverage(SavePolicy.model_validate({"roots": case["roots"]}))
    assert {path: coverage.covers(path) for path in case["paths"]} == case["paths"]


@named(POLICY["documents"])
def test_what_is_wrong_or_doubtful_in_a_policy(case):
    _, found = lint_document(case["policy"])
    assert [[one.level, one.pointer, one.rule] for one in found] == case["findings"]


@named(vectors("differences"))
def test_differences_and_merges(case):
    units = SaveUnits(SavePolicy.model_validate({"units": case["units"]}))
    sides = [
        case[side] and ordered(SaveFile(path, 1, sha256(text.encode()).digest()) for path, text in case[side].items())
        for side in ("base", "head", "branch")
    ]
    base, head, branch = (() if side == {} else side for side in sides)
    assert [
        {
            "unit": one.unit,
            "kind": one.kind,
            "suggested": one.suggested,
            "paths": [difference.path for difference in one.paths],
        }
        for one in three_way(base, head, branch, units)
    ] == case["differences"]
    for wanted in case["merges"]:
        choices = {name: MergeSide(side) for name, side in wanted["choices"].items()}
        assert shown(merge(base, head, branch, units, choices)) == wanted["result"]


def shown(found):
    """A merge as the vectors have it: the files with their contents."""
    if isinstance(found, Merged):
        texts = {sha256(text.encode()).digest(): text for text in "123456789"}
        return {"files": {file.path: texts[file.sha256] for file in found.files}}
    if isinstance(found, UnnamedUnits):
        return {"unnamed": list(found.units)}
    if isinstance(found, UnknownUnits):
        return {"unknown": list(found.keys)}
    assert isinstance(found, MergeObstacle)
    return {"obstacle": found}
