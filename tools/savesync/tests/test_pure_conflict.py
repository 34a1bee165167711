"""Conflicts as the service describes them, and the decisions that answers mean."""

from dataclasses import replace

import pytest
from gameshelf.savesync.conflict import (
    ConflictDecision,
    ConflictResolution,
    OnConflict,
    UndecidableChoice,
    UnitSide,
    deciding,
    deciding_by_slot,
    decision_of,
    merge_what_is_clear,
    read_conflict,
)
from gameshelf.savesync.errors import UnexpectedAnswer
from hypothesis import given
from hypothesis import strategies as st


def side(version, file_count=2):
    attributes = {"slot_name": "main", "version": version, "content_identity": "aa", "file_size_bytes": 5}
    return {"id": "s", "attributes": {**attributes, "file_count": file_count}}


def difference(unit, path, suggested):
    kind = {"head": "head_changed", "branch": "branch_changed", None: "both_changed"}[suggested]
    return {"path": path, "unit": unit, "kind": kind, "suggested": suggested}


def conflict(*differences, can_merge=True, count=None, files=2):
    said = {"id": "c", "savegame_id": "s", "slot_name": "main", "head": side(4), "branch": side(5, files)}
    said |= {"base_version": 2, "differences": differences, "differences_count": count or len(differences)}
    return read_conflict(said, can_merge=can_merge)


CLEAR = conflict(difference("w1", "saves/w1/a", "head"), difference("w2", "saves/w2/a", "branch"))
UNCLEAR = conflict(
    difference("w1", "saves/w1/a", "head"), difference("w2", "saves/w2/a", None), difference("w2", "saves/w2/b", None)
)


def test_differences_are_grouped_by_unit():
    assert [(unit.name, unit.paths) for unit in UNCLEAR.units] == [
        ("w1", ("saves/w1/a",)),
        ("w2", ("saves/w2/a", "saves/w2/b")),
    ]
    assert [unit.name for unit in UNCLEAR.unnamed] == ["w2"]
    assert (UNCLEAR.head.version, UNCLEAR.branch.version, UNCLEAR.base_version) == (4, 5, 2)


def test_a_launcher_gets_all_of_it():
    said = UNCLEAR.to_json()
    assert said["units"][1] == {
        "name": "w2",
        "kind": "both_changed",
        "suggested": None,
        "paths": ("saves/w2/a", "saves/w2/b"),
    }
    assert said["head"]["version"] == 4


def test_an_answer_of_another_kind_is_named():
    with pytest.raises(UnexpectedAnswer, match="conflict"):
        read_conflict({"id": "c"}, can_merge=False)


@pytest.mark.parametrize(
    ("one", "is_merged"),
    [
        (CLEAR, True),
        (UNCLEAR, False),
        (conflict(difference("w1", "saves/w1/a", "head"), can_merge=False), False),
        (conflict(difference("w1", "saves/w1/a", "head"), count=101), False),
        (conflict(), False),
        (conflict(difference("/", "saves/w1/a", "head"), files=None), False),
    ],
)
def test_only_what_is_clear_is_merged(one, is_merged):
    assert merge_what_is_clear(one) == (ConflictDecision(ConflictResolution.MERGE) if is_merged else None)


@pytest.mark.parametrize("choice", [OnConflict.KEEP_LOCAL, OnConflict.KEEP_CLOUD, OnConflict.KEEP_BOTH])
def test_a_choice_that_was_made_beforehand(choice):
    assert deciding(choice, pytest.fail)(UNCLEAR) == ConflictDecision(ConflictResolution(choice))


def test_later_asks_nobody():
    assert deciding(OnConflict.LATER, pytest.fail)(CLEAR) is None
    assert deciding(OnConflict.UNITS, pytest.fail)(UNCLEAR) is None
    assert deciding(OnConflict.ASK, lambda _: ConflictDecision(ConflictResolution.KEEP_BOTH))(
        CLEAR
    ) == ConflictDecision(ConflictResolution.KEEP_BOTH)


@pytest.mark.parametrize(
    ("answer", "resolution"),
    [("l", "keep_local"), (" C\n", "keep_cloud"), ("b", "keep_both"), ("keep_both", "keep_both")],
)
def test_an_answer_of_the_player(answer, resolution):
    assert decision_of(UNCLEAR, answer, pytest.fail) == ConflictDecision(ConflictResolution(resolution))


def test_no_answer_decides_later():
    assert decision_of(UNCLEAR, "\n", pytest.fail) is None


def test_a_merge_asks_for_what_has_no_suggestion():
    asked = []

    def ask(unit):
        asked.append(unit.name)
        return UnitSide.BRANCH

    assert decision_of(UNCLEAR, "m", ask) == ConflictDecision(ConflictResolution.MERGE, {"w2": UnitSide.BRANCH})
    assert asked == ["w2"]
    assert decision_of(UNCLEAR, "m", lambda _: None) is None
    assert decision_of(CLEAR, "m", pytest.fail) == ConflictDecision(ConflictResolution.MERGE)


UNASKED = conflict(can_merge=False)


@given(st.text())
def test_any_other_answer_is_no_decision(answer):
    if answer.strip().lower() in {"", "l", "c", "b", "keep_local", "keep_cloud", "keep_both"}:
        return
    with pytest.raises(UndecidableChoice):
        decision_of(UNASKED, answer, pytest.fail)


def test_each_save_has_a_decision_of_its_own():
    decide = deciding_by_slot({"main": OnConflict.KEEP_CLOUD, None: OnConflict.LATER}, pytest.fail)
    assert decide(CLEAR) == ConflictDecision(ConflictResolution.KEEP_CLOUD)
    assert decide(replace(CLEAR, slot_name="main (linux)")) is None
    asked = ConflictDecision(ConflictResolution.KEEP_BOTH)
    assert deciding_by_slot({"second": OnConflict.LATER}, lambda _: asked)(CLEAR) is asked
