"""Where a game stands on each device, on plain values."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from gameshelf.library import Installation, InstallationStatus
from gameshelf.library._installations import MOST_DEVICES, Installations, dump, load, on_device
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
INSTALLED, ABSENT = InstallationStatus.INSTALLED, InstallationStatus.NOT_INSTALLED


def fact(minutes, device=None, status=INSTALLED, version="1"):
    version = None if status is ABSENT else version
    return Installation(device, InstallationStatus(status), version, NOW + timedelta(minutes=minutes))


def after(*facts):
    found = Installations()
    for one in facts:
        found = found.with_fact(one)
    return found


@pytest.mark.parametrize(
    ("facts", "entries"),
    [
        ([fact(1, "a"), fact(2, "b", ABSENT)], {"a": INSTALLED, "b": ABSENT}),
        ([fact(1, "a"), fact(2, "a", ABSENT)], {"a": ABSENT}),
        ([fact(2, "a", ABSENT), fact(1, "a")], {"a": ABSENT}),
        ([fact(1, "a", ABSENT), fact(1, "a")], {"a": INSTALLED}),  # of one time: the one applied last
        ([fact(1), fact(2, "a")], {"a": INSTALLED}),
        ([fact(1, "a"), fact(2, status=ABSENT)], {None: ABSENT}),
        ([fact(1, "a"), fact(3, "b"), fact(2, status=ABSENT)], {"b": INSTALLED}),
        ([fact(2, status=ABSENT), fact(3, "b"), fact(1, "a")], {"b": INSTALLED}),
        ([fact(2), fact(1, status=ABSENT)], {None: INSTALLED}),
    ],
)
def test_the_newest_fact_of_each_device_holds(facts, entries):
    assert {one.device_id: one.installation_status for one in after(*facts).entries} == entries


ORDER = ["installed", "updating", "repair_needed", "installing", "error", "not_installed"]


def test_the_best_of_the_devices_stands_for_all():
    for best, worse in pairwise(ORDER):
        found = after(fact(1, "a", best, "1"), fact(2, "b", worse, "2"))
        assert (found.summary.installation_status, found.summary.device_id) == (best, "a")
    alike = after(fact(1, "a", version="1"), fact(2, "b", version="2"))
    assert alike.summary.installed_version_id == "2"
    assert Installations().summary.installation_status is ABSENT


def test_a_device_without_an_entry_has_that_of_the_account():
    found = after(fact(1), fact(2, "a", ABSENT))
    assert found.of_device("a").installation_status is ABSENT
    assert found.of_device("b").installation_status is ABSENT  # the entry of the account is older than that of a device
    assert after(fact(1)).of_device("b").installation_status is INSTALLED


def test_one_device_too_many_replaces_the_oldest_without_the_game():
    many = [fact(number, f"device {number:02}") for number in range(MOST_DEVICES)]
    full = after(*many)
    assert len(full.entries) == MOST_DEVICES
    one_more = full.with_fact(fact(100, "one more"))
    assert {one.device_id for one in one_more.entries} == {one.device_id for one in many[1:]} | {"one more"}
    idle = full.with_fact(fact(50, "device 07", ABSENT)).with_fact(fact(100, "one more"))
    assert "device 07" not in {one.device_id for one in idle.entries}
    assert "device 00" in {one.device_id for one in idle.entries}


FACTS = st.lists(
    st.builds(fact, st.integers(0, 99), st.sampled_from([None, "a", "b", "c"]), st.sampled_from(ORDER)),
    unique_by=lambda one: one.changed_at,
    max_size=8,
)


@given(FACTS.flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_facts_may_come_in_any_order(facts):
    given_, other = facts
    assert after(*given_) == after(*other)


@given(FACTS)
def test_what_is_stored_is_read_again(facts):
    found = after(*facts)
    summary = found.summary
    stored = dump(found.entries), found.account_at, summary.installation_status, summary.installed_version_id
    again = load(*stored, found.newest_at)
    assert again == found


@pytest.mark.parametrize("device", ["a", "c"])
@pytest.mark.parametrize(
    "facts",
    [
        [],
        [fact(1, "a"), fact(2, "b", ABSENT)],
        [fact(1, "a", "updating"), fact(2, "b")],
        [fact(1)],
        [fact(1), fact(2, "a", ABSENT)],
        [fact(1), fact(2, "b", "error")],
    ],
)
def test_what_is_read_of_the_json_alone_is_what_the_entries_say(facts, device):
    known = after(*facts)
    of_device = known.of_device(device)
    assert on_device(dump(known.entries), device) == (of_device.installation_status, of_device.installed_version_id)
