"""The rules that the client shares with the service: both compute what the vectors of the repository say."""

import json
from pathlib import Path

import pytest
from gameshelf.savesync.canonical import canonical_hash
from gameshelf.savesync.errors import PolicyRefused
from gameshelf.savesync.folders import PRIVATE_FOLDERS, SAME_FOLDERS, SHARED_FOLDERS
from gameshelf.savesync.paths import escape, fold, problems, unescape, wrong_with
from gameshelf.savesync.patterns import PathPattern, PatternRefused
from gameshelf.savesync.places import check_place
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.units import UnitPatterns, unit_of

VECTORS = Path(__file__).parents[3] / "protos" / "savesets"


def read(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


HASHES, PATHS, POLICY = read("hash.json"), read("paths.json"), read("policy.json")


@pytest.mark.parametrize("case", HASHES, ids=lambda case: case["name"])
def test_the_hashes_of_a_list(case):
    files = case["files"]
    assert canonical_hash((file["sha256"], file["path"]) for file in files) == case["file_hash_sha256"]
    identities = ((file.get("identity", file["sha256"]), file["path"]) for file in reversed(files))
    assert canonical_hash(identities) == case["content_identity"]


def test_the_rules_of_a_path():
    assert {case["path"]: wrong_with(case["path"]) for case in PATHS["paths"]} == {
        case["path"]: case["rule"] for case in PATHS["paths"]
    }


@pytest.mark.parametrize("case", PATHS["lists"], ids=lambda case: " ".join(case["paths"])[:40])
def test_the_rules_of_a_list_of_paths(case):
    at = case["paths"].index
    found = [[at(one.path), one.rule, None if one.other is None else at(one.other)] for one in problems(case["paths"])]
    assert found == case["problems"]


def test_folds_and_escapes():
    assert [fold(case["path"]) for case in PATHS["folds"]] == [case["fold"] for case in PATHS["folds"]]
    assert [escape(case["name"]) for case in PATHS["escapes"]] == [case["part"] for case in PATHS["escapes"]]
    assert [unescape(case["part"]) for case in PATHS["escapes"]] == [case["name"] for case in PATHS["escapes"]]


@pytest.mark.parametrize("pattern", POLICY["patterns"], ids=lambda pattern: pattern["pattern"])
def test_what_a_pattern_captures(pattern):
    parsed = PathPattern.parse(pattern["pattern"])
    found = [parsed.match(case["path"]) for case in pattern["cases"]]
    assert found == [case["captures"] for case in pattern["cases"]]


def rule_of_pattern(text):
    try:
        PathPattern.parse(text)
    except PatternRefused as refused:
        return refused.rule
    return None


def test_what_is_no_pattern():
    cases = POLICY["refused_patterns"]
    assert [rule_of_pattern(case["pattern"]) for case in cases] == [case["rule"] for case in cases]


@pytest.mark.parametrize("case", POLICY["places"], ids=lambda case: case["place"])
def test_the_places_of_one_game(case):
    assert check_place(case["place"]) == case["rule"]


def test_the_folders_that_are_no_games_alone():
    for ours, name in ((SHARED_FOLDERS, "shared_folders"), (PRIVATE_FOLDERS, "private_folders")):
        assert {placeholder: sorted(folders) for placeholder, folders in ours.items()} == POLICY[name]
    assert POLICY["same_folders"] == SAME_FOLDERS


@pytest.mark.parametrize("case", POLICY["coverage"], ids=lambda case: case["name"])
def test_what_a_policy_covers(case):
    policy = FolderPolicy.parse({"roots": case["roots"]})
    assert {path: policy.covers(path) for path in case["paths"]} == case["paths"]
    folders = {path.rpartition("/")[0] for path, is_covered in case["paths"].items() if is_covered and "/" in path}
    assert all(policy.reaches(folder) for folder in folders)


@pytest.mark.parametrize("case", POLICY["documents"], ids=lambda case: case["name"])
def test_a_policy_that_the_service_refuses(case):
    """A field that the service does not know is an error there, and of a later version here."""
    errors = {rule for level, _, rule in case["findings"] if level == "error"} - {"extra_forbidden"}
    if not errors:
        FolderPolicy.parse(case["policy"])
        return
    with pytest.raises(PolicyRefused) as refused:
        FolderPolicy.parse(case["policy"])
    assert refused.value.rule in errors


@pytest.mark.parametrize("case", POLICY["units"], ids=lambda case: case["path"][:40])
def test_the_unit_of_a_path(case):
    rules = [UnitPatterns(rule["name"], tuple(map(PathPattern.parse, rule["match"]))) for rule in case["units"]]
    assert unit_of(case["path"], rules) == case["unit"]
