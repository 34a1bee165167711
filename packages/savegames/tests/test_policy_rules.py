"""Policies of products: their fields, places, limits, and what is doubtful in them. On plain values."""

import json

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._places import FOLDER_PLACEHOLDERS, InvalidPlace, require_narrow
from gameshelf.savegames._policies import (
    DEFAULT_POLICY,
    Coverage,
    EffectiveLimits,
    PolicyLimits,
    SavePolicy,
    effective_limits,
    from_event,
    from_file,
)
from gameshelf.savegames._policy_lint import FindingLevel, lint_document, lint_policy
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

EVENT = {
    "revision": 7,
    "mode": "sync",
    "merge": "units",
    "conflictPolicy": "most_recent",
    "roots": {
        "saves": {
            "where": [
                {"when": [{"os": "windows"}], "path": "<winLocalAppData>/G/<storeUserId>"},
                {"when": [{"os": "linux", "store": "steam"}], "path": "<xdgData>/g"},
            ],
            "include": ["**/*.sav"],
            "exclude": ["**/*.log"],
            "scope": "all",
        }
    },
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
    "limits": {"maxFiles": 500, "maxBytes": 0, "maxFileBytes": 1024, "oversize": "skip"},
    "settleSeconds": 5,
    "processes": ["g.exe"],
}
STORED = {
    "mode": "sync",
    "merge": "units",
    "conflict_policy": "most_recent",
    "roots": {
        "saves": {
            "where": [
                {"when": [{"os": "windows", "store": None}], "path": "<winLocalAppData>/G/<storeUserId>"},
                {"when": [{"os": "linux", "store": "steam"}], "path": "<xdgData>/g"},
            ],
            "include": ["**/*.sav"],
            "exclude": ["**/*.log"],
            "scope": "all",
        }
    },
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
    "limits": {"max_files": 500, "max_bytes": 0, "max_file_bytes": 1024, "oversize": "skip"},
    "settle_seconds": 5,
    "processes": ["g.exe"],
}


def test_an_event_in_either_case_is_one_policy():
    found = from_event(EVENT)
    assert found.revision == 7
    assert found.policy.model_dump(mode="json") == STORED
    assert from_event({"revision": 7, **STORED}) == found
    assert SavePolicy.model_validate(STORED) == found.policy


def test_an_empty_field_was_not_said():
    empty = {"revision": 0, "mode": "", "merge": None, "conflictPolicy": "", "roots": {}, "limits": None}
    found = from_event(empty)
    assert found.revision == 1
    assert found.policy == DEFAULT_POLICY


def test_the_policy_of_a_product_without_one():
    assert (DEFAULT_POLICY.mode, DEFAULT_POLICY.merge, DEFAULT_POLICY.conflict_policy) == ("sync", "never", "manual")
    assert (DEFAULT_POLICY.roots, DEFAULT_POLICY.units, DEFAULT_POLICY.settle_seconds) == ({}, (), 10)
    assert Coverage(DEFAULT_POLICY).covers("any/path at all")
    assert lint_policy(DEFAULT_POLICY) == []


def test_a_field_of_a_later_version_is_ignored_in_events_only():
    later = {"rewind": True, "roots": {"saves": {"include": ["**"], "compress": True}}}
    assert from_event(later).policy.roots["saves"].include == ("**",)
    with pytest.raises(ValidationError) as caught:
        from_file(later)
    assert [one["loc"] for one in caught.value.errors()] == [("roots", "saves", "compress"), ("rewind",)]


def rules(document):
    with pytest.raises(ValidationError) as caught:
        from_event(document)
    return [(".".join(map(str, one["loc"])), one["type"]) for one in caught.value.errors()]


@pytest.mark.parametrize(
    ("document", "place", "rule"),
    [
        ({"mode": "on"}, "mode", "literal_error"),
        ({"settle_seconds": 3601}, "settle_seconds", "less_than_equal"),
        ({"processes": ["bin/g"]}, "processes.0", "process_name"),
        ({"limits": {"max_files": 10_001}}, "limits.max_files", "less_than_equal"),
        ({"limits": {"max_bytes": -1}}, "limits.max_bytes", "greater_than_equal"),
        ({"roots": {"con": {}}}, "roots.con.[key]", "root_name"),
        ({"roots": {"Saves": {}}}, "roots.Saves.[key]", "string_pattern_mismatch"),
        ({"roots": {str(index): {} for index in range(33)}}, "roots", "too_long"),
        ({"roots": {"s": {"include": ["a//b"]}}}, "roots.s.include.0", "pattern_part_empty"),
        ({"roots": {"s": {"exclude": ["../**"]}}}, "roots.s.exclude.0", "pattern_part_dots"),
        ({"roots": {"s": {"include": ["**"] * 33}}}, "roots.s.include", "too_long"),
        ({"roots": {"s": {"where": [{}]}}}, "roots.s.where.0.path", "missing"),
        ({"roots": {"s": {"where": [{"path": "<home>"}]}}}, "roots.s.where.0.path", "place_too_wide"),
        ({"roots": {"s": {"where": [{"path": "<base>", "when": [{"os": "amiga"}]}]}}},
         "roots.s.where.0.when.0.os", "literal_error"),
        ({"units": [{"name": "a/b", "match": ["**"]}]}, "units.0.name", "unit_name"),
        ({"units": [{"name": "{w", "match": ["**"]}]}, "units.0.name", "unit_name"),
        ({"units": [{"name": "", "match": ["**"]}]}, "units.0.name", "missing"),
        ({"units": [{"name": "a", "match": []}]}, "units.0.match", "too_short"),
        ({"units": [{"name": "{w}", "match": ["s/{w}", "s/{x}"]}]}, "units.0", "unit_capture"),
        ({"units": [{"name": "a", "match": ["**"]}] * 65}, "units", "too_long"),
        ({"units": [{"name": "a", "match": ["**"] * 32}] * 9}, "", "unit_patterns"),
        ({"processes": ["x"], "notes": "x" * 65_536}, "", "policy_too_large"),
        ({"revision": -1}, "revision", "greater_than_equal"),
    ],
)  # fmt: skip
def test_the_rule_that_a_policy_breaks(document, place, rule):
    assert rules(document) == [(place, rule)]


@pytest.mark.parametrize(
    "place",
    [
        "<base>",
        "<base>/Saves",
        "<base>/<storeUserId>",
        "<home>/.factorio/saves",
        "<home>/Documents/My Games/Skyrim",
        "<home>/Doc*/[G]",
        "<home>/<game>/G",
        "<winLocalAppData>/Google/G",
        "<home>/Library/Application Support/G/<storeUserId>",
        "<root>/userdata/<storeUserId>/480/remote",
        "<root>/steamapps/common/G",
        "<winAppData>/.minecraft/saves",
        "<winDocuments>/My Games/*Skyrim*/Saves",
        "<winDocuments>/The Witcher 3/gamesaves",
        "<winLocalAppData>/Packages/Vendor.Game_*/SystemAppData",
        "<winLocalAppDataLow>/Vendor/Game",
        "<winPublic>/Documents/Vendor/Game",
        "<xdgConfig>/unity3d/Vendor/Game",
        "<xdgData>/g",
    ],
)
def test_a_place_of_one_game(place):
    require_narrow(place)


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        *[(folder, "place_too_wide") for folder in sorted(FOLDER_PLACEHOLDERS - {"<base>"})],
        ("<winPublic>/<osUserName>", "place_too_wide"),
        ("<home>/Documents", "place_too_wide"),
        ("<home>/DOCUMENTS/my games", "place_too_wide"),
        ("<home>/My Games", "place_too_wide"),
        ("<home>/AppData/Local", "place_too_wide"),
        ("<home>/.local/share", "place_too_wide"),
        ("<home>/*/Saves", "place_too_wide"),
        ("<home>/**", "place_too_wide"),
        ("<home>/.config/*", "place_too_wide"),
        ("<home>/.*/G", "place_too_wide"),
        ("<winPublic>/.*/G", "place_too_wide"),
        ("<winDocuments>/*/Saves", "place_too_wide"),
        ("<home>/Doc*", "place_too_wide"),
        ("<home>/AppData/Roaming", "place_too_wide"),
        ("<home>/Library/Preferences", "place_too_wide"),
        ("<winLocalAppData>/Packages/*", "place_too_wide"),
        ("<home>/.ssh", "place_private"),
        ("<home>/.SSH/keys", "place_private"),
        ("<home>/.ss?", "place_too_wide"),
        ("<home>/.ssh*/G", "place_private"),
        ("<winLocalAppData>/Google", "place_private"),
        ("<xdgConfig>/autostart/G", "place_private"),
        ("<home>/.config/autostart", "place_private"),
        ("<winAppData>/Microsoft/Windows/Start Menu/Programs/Startup", "place_private"),
        ("<winDir>/System32/G", "place_private"),
        ("<winAppData>/MICROS~1/G", "place_other_name"),
        ("<home>/*uments/My Ga?es", "place_too_wide"),
        ("<winPublic>/<game>uments", "place_too_wide"),
        ("<home>/Documents.", "place_other_name"),
        ("<home>/Documents /G", "place_other_name"),
        ("<base>/... ", "place_other_name"),
        ("<winDocuments>/My Games", "place_too_wide"),
        ("<winDocuments>/My Games/*", "place_too_wide"),
        ("<winDocuments>/My Games/**/Saves", "place_too_wide"),
        ("<root>/<game>", "place_too_wide"),
        ("<root>/steamapps/common", "place_too_wide"),
        ("<root>/userdata/<storeUserId>", "place_too_wide"),
        ("<base>/**", "place_too_wide"),
        ("<base>/*/Saves", "place_too_wide"),
        ("<winLocalAppData>/?", "place_too_wide"),
        ("", "place_start"),
        ("/", "place_start"),
        ("/home/g", "place_start"),
        ("~/g", "place_start"),
        ("C:/g", "place_start"),
        ("g", "place_start"),
        ("<game>/saves", "place_start"),
        ("<storeUserId>/saves", "place_start"),
        ("<appdata>/g", "place_placeholder"),
        ("<regHkcu>/Software/G", "place_placeholder"),
        ("<base>/<appData>", "place_placeholder"),
        ("<base>/<home>", "place_placeholder"),
        ("<base>/..", "place_part_dots"),
        ("<base>/./a", "place_part_dots"),
        ("<base>/~", "place_part_dots"),
        ("<base>//a", "place_part_empty"),
        ("<base>/a/", "place_part_empty"),
        ("<base>/a\\b", "place_character"),
        ("<base>/C:", "place_character"),
        ("<base>/a>b", "place_character"),
        ("<base>/a\x00b", "place_character"),
    ],
)
def test_a_place_that_is_refused(place, rule):
    with pytest.raises(InvalidPlace) as caught:
        require_narrow(place)
    assert caught.value.rule == rule


parts = st.sampled_from(["*", "**", "?", ".*", "<game>", "<storeUserId>", "<game>*", "G", "saves", "*save*"])


@settings(max_examples=sized(16, 80), derandomize=True)
@given(st.sampled_from(sorted(FOLDER_PLACEHOLDERS - {"<base>"})), st.lists(parts, max_size=4))
def test_a_place_has_a_folder_of_its_own_before_a_wildcard(folder, below):
    """Whatever is allowed names something of the game before it branches out."""
    try:
        require_narrow("/".join([folder, *below]))
    except InvalidPlace:
        return
    own = [part for part in below if part not in ("<game>", "<storeUserId>")]
    assert own[0] in ("G", "saves", "*save*")


def test_limits_of_a_product_replace_those_of_the_service():
    service = {"max_set_bytes": 1000, "max_file_bytes": 100}
    assert effective_limits(PolicyLimits(), **service) == EffectiveLimits(10_000, 1000, 100, False)
    lower = PolicyLimits(max_files=5, max_bytes=10, oversize="skip")
    assert effective_limits(lower, **service) == EffectiveLimits(5, 10, 100, True)
    higher = PolicyLimits(max_bytes=5000, max_file_bytes=4000)
    assert effective_limits(higher, **service) == EffectiveLimits(10_000, 5000, 4000, False)


def policy(**fields):
    return SavePolicy.model_validate(fields)


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("saves/a.sav", True),
        ("saves/w/a.SAV", True),
        ("SAVES/a.sav", True),
        ("saves/a.txt", False),
        ("saves/old/a.sav", False),
        ("saves", False),
        ("saves.sav", False),
        ("config/a.ini", True),
        ("other/a.sav", False),
        ("a.sav", False),
    ],
)
def test_what_a_policy_covers(path, covered):
    roots = {"saves": {"include": ["**/*.sav"], "exclude": ["old/**"]}, "config": {}}
    assert Coverage(policy(roots=roots)).covers(path) is covered


def warnings(**fields):
    found = lint_policy(policy(**fields))
    assert {one.level for one in found} <= {FindingLevel.WARNING}
    return [(one.pointer, one.rule) for one in found]


PLACE = [{"path": "<winDocuments>/G"}]
SAVES = {"saves": {"where": PLACE, "include": ["**/*.sav"]}}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"roots": SAVES, "units": [{"name": "{w}", "match": ["saves/{w}/**"]}]}, []),
        ({"merge": "units"}, [("merge", "merge_without_units")]),
        ({"units": [{"name": "w", "match": ["saves/{w}/**"]}]}, [("units/0/match/0", "capture_unused")]),
        (
            {"roots": SAVES, "units": [{"name": "w", "match": ["save/**", "*/a.sav", "saves/*.ess", "saves"]}]},
            [
                ("units/0/match/0", "unit_root_unknown"),
                ("units/0/match/2", "unit_matches_nothing"),
                ("units/0/match/3", "unit_matches_nothing"),
            ],
        ),
        (
            {
                "roots": {"s": {"where": PLACE, "include": ["a" * 256, "/".join("a" * 32)]}},
                "units": [{"name": "w", "match": ["s/**", "s/b"]}],
            },
            [("units/0/match/1", "unit_matches_nothing")],
        ),
        ({"roots": {"a": {"include": []}}}, [("roots/a/where", "root_without_place"),
                                             ("roots/a/include", "root_includes_nothing")]),
        ({"roots": {"a": {"where": [{"path": "<base>"}]}}}, [("roots/a/where/0", "whole_game_folder")]),
        ({"roots": {"a": {"where": [{"path": "<base>/<storeUserId>"}]}}}, [("roots/a/where/0", "whole_game_folder")]),
        ({"roots": {"a": {"where": [{"path": "<base>"}], "include": ["*.sav"]}}}, []),
        ({"roots": {"a": {"where": [{"path": "<base>/Saves"}]}}}, []),
        (
            {"roots": {"a": {"where": PLACE}, "b": {"where": [{"path": "<winDocuments>/g/Saves"}]}}},
            [("roots/a/where/0", "roots_overlap")],
        ),
        (
            {"roots": {"a": {"where": PLACE}, "b": {"where": [{"path": "<home>/Documents/g"}]}}},
            [("roots/a/where/0", "roots_overlap")],
        ),
        ({"roots": {"a": {"where": PLACE}, "b": {"where": [{"path": "<winDocuments>/Gx"}]}}}, []),
        (
            {
                "roots": {
                    "a": {"where": [{"path": "<base>/s", "when": [{"os": "windows"}]}]},
                    "b": {"where": [{"path": "<base>/s", "when": [{"os": "linux"}, {"store": "gog", "os": "mac"}]}]},
                }
            },
            [],
        ),
        ({"limits": {"max_bytes": 5, "max_file_bytes": 6}}, [("limits/max_file_bytes", "limit_never_reached")]),
    ],
)  # fmt: skip
def test_what_is_doubtful_in_a_policy(fields, found):
    assert warnings(**fields) == found


def test_a_file_of_an_operator_has_errors_or_warnings():
    parsed, found = lint_document({"revision": 3, "merge": "units"})
    assert parsed.revision == 3
    assert [(one.level, one.rule) for one in found] == [("warning", "merge_without_units")]
    parsed, found = lint_document({"roots": {"s/x": {}, "s": {"where": [{"path": "<home>"}]}}, "modee": "sync"})
    assert parsed is None
    assert {(one.level, one.pointer, one.rule) for one in found} == {
        ("error", "roots/s~1x", "string_pattern_mismatch"),
        ("error", "roots/s/where/0/path", "place_too_wide"),
        ("error", "modee", "extra_forbidden"),
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*STORED, "where", "when", "path", "include", "name", "match", "x"]), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=sized(16, 80), derandomize=True)
@given(st.dictionaries(st.sampled_from([*EVENT, *STORED]), json_values))
def test_any_json_is_a_policy_or_is_refused(document):
    """A consumer makes a dead letter of it, and never stops."""
    try:
        found = from_event(document)
    except ValidationError:
        return
    assert SavePolicy.model_validate(json.loads(found.policy.model_dump_json())) == found.policy
    lint_policy(found.policy)
