"""What a device has to do with a save: every combination of facts, compared with the table of the design."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames import Relation
from gameshelf.savegames._plans import (
    CloudSave,
    DeviceContent,
    OtherDeviceState,
    PlanAction,
    PlanConditions,
    PlanIntent,
    PlannedBranch,
    PlannedSave,
    PlanReason,
    Proceed,
    is_newer_version,
    may_proceed,
    plan_save,
)
from gameshelf.savegames._policies import SavePolicy
from hypothesis import given, settings
from hypothesis import strategies as st

SAVE, CONFLICT = UUID(int=1), UUID(int=2)
HEAD = 7
OWN, OTHER = b"own", b"other"

BRANCHES = {
    "none": (),
    "of the device": (PlannedBranch(CONFLICT, 6, OTHER, "deck"),),
    "with its content": (PlannedBranch(UUID(int=3), 5, OTHER, "pc"), PlannedBranch(CONFLICT, 6, OWN, "pc")),
    "of another device": (PlannedBranch(CONFLICT, 6, None, "pc"),),
}
CONTENTS = [
    None,
    *(DeviceContent(OWN, *facts) for facts in product(Relation, (True, False), (None, 3), (None, True, False))),
]
SAVES = [
    None,
    *(
        CloudSave(SAVE, HEAD, head_device, version, branches)
        for head_device, version, branches in product(("deck", "pc"), (None, HEAD, 6), BRANCHES.values())
    ),
]
CONDITIONS = [
    PlanConditions(SavePolicy.model_validate({"mode": mode, "merge": merge}), auto_sync, intent, "deck")
    for mode, merge, auto_sync, intent in product(
        ("sync", "backup", "off"), ("units", "never"), (True, False), (PlanIntent.LAUNCH, PlanIntent.MANUAL)
    )
]


@dataclass(frozen=True)
class Case:
    """All facts that decide, as questions."""

    content: DeviceContent | None
    save: CloudSave | None
    conditions: PlanConditions
    is_trashed: bool

    def plan(self):
        return plan_save(self.content, self.save, self.conditions, is_trashed=self.is_trashed)

    @property
    def is_automatic(self):
        return self.conditions.intent is not PlanIntent.MANUAL

    @property
    def keeps_files(self):
        return self.conditions.policy.mode == "backup" and self.is_automatic

    @property
    def is_in_conflict(self):
        return self.save.branches in (BRANCHES["of the device"], BRANCHES["with its content"])

    @property
    def had_head(self):
        return self.save.device_version == HEAD or self.save.head_device_id == "deck"

    def is_a(self, relation):
        return self.content.relation is relation


# The first row that fits.
TABLE = [
    (lambda one: one.is_automatic and not one.conditions.auto_sync, "none", "auto_sync_off"),
    (lambda one: one.conditions.policy.mode == "off", "none", "policy_off"),
    (lambda one: one.save is None and one.content is None, "none", "nothing"),
    (lambda one: one.content and one.is_trashed, "deleted", "deleted_elsewhere"),
    (lambda one: one.save is None, "upload", "new"),
    (lambda one: one.content is None and one.keeps_files, "none", "backup"),
    (lambda one: one.content is None, "download", "not_here"),
    (lambda one: one.is_in_conflict, "conflict", "open_conflict"),
    (lambda one: one.is_a(Relation.IDENTICAL), "none", "identical"),
    (lambda one: one.is_a(Relation.BEHIND) and one.keeps_files, "none", "backup"),
    (lambda one: one.is_a(Relation.BEHIND), "download", "behind"),
    (
        lambda one: one.is_a(Relation.DESCENDANT) and one.content.is_set and not one.had_head,
        "conflict",
        "base_not_synced",
    ),
    (lambda one: one.is_a(Relation.DESCENDANT) and one.content.regresses_to, "upload", "regresses"),
    (lambda one: one.is_a(Relation.DESCENDANT), "upload", "changed"),
    (lambda one: one.conditions.policy.merge == "units" and one.content.merges_itself, "merge", "units"),
    (lambda one: True, "conflict", "diverged"),
]
ASKING = {"open_conflict", "base_not_synced", "regresses", "diverged"}


@pytest.fixture(scope="module")
def plans():
    """Every case with its plan."""
    cases = [Case(*facts) for facts in product(CONTENTS, SAVES, CONDITIONS, (True, False))]
    return [(case, case.plan()) for case in cases]


def test_every_plan_is_that_of_the_table(plans):
    wrong = []
    for case, found in plans:
        expected = next((action, reason) for fits, action, reason in TABLE if fits(case))
        if (found.action, found.reason) != expected:
            wrong.append((case, found, expected))
    assert wrong == []
    assert {found.reason for _, found in plans} == set(PlanReason)


def test_a_plan_asks_where_something_would_be_lost(plans):
    for case, found in plans:
        assert found.asks == (found.reason in ASKING)
        if found.action is PlanAction.DOWNLOAD:
            assert case.content is None or case.is_a(Relation.BEHIND)
        if found.action is PlanAction.UPLOAD:
            assert case.save is None or case.is_a(Relation.DESCENDANT)
            assert not case.is_trashed
        if found.action is PlanAction.MERGE:
            assert case.is_a(Relation.DIVERGED)


def test_a_plan_names_the_save_and_what_the_user_decides(plans):
    for case, found in plans:
        assert (found.savegame_id, found.head_version) == (
            (SAVE, HEAD) if case.save and found.action is not PlanAction.DELETED else (None, None)
        )
        branch = (CONFLICT, 6) if found.reason is PlanReason.OPEN_CONFLICT else (None, None)
        assert (found.conflict_id, found.branch_version) == branch
        assert found.regresses_to == (3 if found.reason is PlanReason.REGRESSES else None)


def test_a_plan_says_that_a_newer_game_wrote_the_head():
    conditions = CONDITIONS[0]
    for save in SAVES:
        found = plan_save(None, save, conditions, written_by_newer_version="1.1")
        assert found.written_by_newer_version == ("1.1" if save else None)


NOW = datetime(2026, 5, 20, tzinfo=UTC)
SEEN = {"1.0": NOW - timedelta(days=9), "1.1": NOW}


@pytest.mark.parametrize(
    ("head", "own", "newer"),
    [
        ("1.1", "1.0", True),
        ("1.0", "1.1", False),
        ("1.1", "1.1", False),
        ("2.0", "1.1", True),  # never seen: it is newer than all that were
        ("1.1", "2.0", False),
        ("2.0", "2.1", False),
        (None, "1.0", False),
        ("1.1", None, False),
    ],
)
def test_which_version_of_a_game_is_newer(head, own, newer):
    assert is_newer_version(head, own, SEEN) is newer


saves = st.lists(st.builds(PlannedSave, st.sampled_from(PlanAction), st.sampled_from(PlanReason), asks=st.booleans()))


@settings(max_examples=sized(40, 200), derandomize=True)
@given(saves, st.lists(st.sampled_from(OtherDeviceState)), st.sampled_from(PlanIntent))
def test_whether_a_device_may_proceed(planned, others, intent):
    found = may_proceed(planned, others, intent)
    starts = intent in ("launch", "resume", "manual")
    if any(one.asks for one in planned) or (starts and set(others) - {"upload_open"}):
        assert found is Proceed.ASK
    elif starts and others:
        assert found is Proceed.WAIT
    else:
        assert found is Proceed.YES
