"""Retention of history, on plain values."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations
from uuid import UUID

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._retention import HistoryVersion, KeptVersion, max_pinned, prunable, prune_at, to_make_room
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@st.composite
def histories(draw):
    """Up to 14 versions of the last week in the order of their uploads, some pinned, with arbitrary numbers."""
    ages = sorted(draw(st.lists(st.integers(0, 24 * 7), max_size=14, unique=True)), reverse=True)
    numbers = draw(st.permutations(range(1, len(ages) + 1)))
    return [
        KeptVersion(version, NOW - timedelta(hours=hours), draw(st.booleans()) and draw(st.booleans()))
        for version, hours in zip(numbers, ages, strict=True)
    ]


maxima = st.integers(2, 6)
RULES = settings(max_examples=sized(30, 150), derandomize=True)


def uploaded(*days_ago, pinned=()):
    """Versions 1, 2, …, uploaded the given numbers of days ago."""
    return [
        KeptVersion(version, NOW - timedelta(days=days), version in pinned)
        for version, days in enumerate(days_ago, start=1)
    ]


@RULES
@given(histories(), maxima, st.sets(st.integers(1, 14)))
def test_pinned_and_protected_versions_are_never_pruned(history, maximum, protected):
    going = prunable(history, protected, maximum, NOW)
    assert not going & protected
    assert not going & {one.version for one in history if one.is_pinned}
    assert going <= {one.version for one in history}


@RULES
@given(histories(), maxima)
def test_the_newest_versions_stay_and_no_more_old_ones_than_needed(history, maximum):
    going = prunable(history, (), maximum, NOW)
    newest = {one.version for one in history[-maximum:]}
    pinned = sum(one.is_pinned for one in history)
    if not pinned:
        assert not going & newest
    first_day = (NOW - timedelta(days=2)).date()
    old = [one for one in history if one.version not in going and one.uploaded_at.date() < first_day]
    assert len(old) <= max(maximum, pinned + 2)
    assert len(history) - len(going) <= max(maximum, pinned + 2) + 3


@RULES
@given(histories(), maxima)
def test_of_each_of_three_days_the_last_one_stays(history, maximum):
    left = {one.version for one in history} - prunable(history, (), maximum, NOW)
    for day in {one.uploaded_at.date() for one in history}:
        *_, last = (one.version for one in history if one.uploaded_at.date() == day)
        if day > (NOW - timedelta(days=3)).date():
            assert last in left


@RULES
@given(histories(), maxima, st.sets(st.integers(1, 14)), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(history, maximum, protected, random):
    shuffled = random.sample(history, len(history))
    assert prunable(shuffled, protected, maximum, NOW) == prunable(history, protected, maximum, NOW)
    assert prune_at(shuffled, maximum, NOW) == prune_at(history, maximum, NOW)


@RULES
@given(histories(), maxima, st.sets(st.integers(1, 14)))
def test_pruning_again_prunes_nothing_more(history, maximum, protected):
    going = prunable(history, protected, maximum, NOW)
    left = [one for one in history if one.version not in going]
    assert prunable(left, protected, maximum, NOW) == set()


@RULES
@given(histories(), maxima)
def test_nothing_becomes_prunable_before_the_returned_time(history, maximum):
    going = prunable(history, (), maximum, NOW)
    left = [one for one in history if one.version not in going]
    at = prune_at(left, maximum, NOW)
    assert at is None or at > NOW
    until = at or NOW + timedelta(days=30)
    for moment in (NOW + (until - NOW) / 2, until - timedelta(microseconds=1)):
        assert prunable(left, (), maximum, moment) == set()


@RULES
@given(histories(), maxima)
def test_an_unchanged_slot_has_the_maximum_of_versions_in_the_end(history, maximum):
    moment, rounds = NOW, 0
    while moment:
        going = prunable(history, (), maximum, moment)
        history = [one for one in history if one.version not in going]
        moment = prune_at(history, maximum, moment)
        rounds += 1
        assert rounds < 10
    assert len(history) <= max(maximum, sum(one.is_pinned for one in history) + 2)


def test_old_versions_are_pruned_to_the_newest():
    assert prunable(uploaded(9, 8, 7, 6, 5), (), 3, NOW) == {1, 2}
    assert prunable(uploaded(9, 8, 7), (), 3, NOW) == set()


def test_the_last_upload_is_the_newest_whatever_its_number():
    late = KeptVersion(1, NOW, False)
    assert prunable([*uploaded(9, 8, 7, 6)[1:], late], (), 2, NOW) == {2, 3}
    assert prunable([*(KeptVersion(one, NOW, False) for one in (3, 2, 1))], (), 2, NOW) == {1}


def test_pinned_versions_count_among_the_newest_but_for_two():
    assert prunable(uploaded(9, 8, 7, 6, 5, pinned={1}), (), 3, NOW) == {2, 3}
    assert prunable(uploaded(9, 8, 7, 6, 5, pinned={1, 2, 3}), (), 3, NOW) == set()


def test_the_last_version_of_each_of_three_days_is_kept():
    versions = uploaded(3, 2.4, 2.2, 1, 0.3, 0.2, 0.1, 0)
    assert prunable(versions, (), 2, NOW) == {1, 2, 5, 6}
    assert prune_at(versions, 2, NOW) == datetime(2026, 5, 21, tzinfo=UTC)  # three days after the 18th
    assert prunable(versions, (), 2, datetime(2026, 5, 21, tzinfo=UTC)) == {1, 2, 3, 5, 6}


def test_days_are_those_of_utc_whatever_the_zone_of_the_clock():
    zone = timezone(timedelta(hours=5))
    versions = [
        KeptVersion(one.version, one.uploaded_at.astimezone(zone), False) for one in uploaded(3, 2.2, 2, 1, 0.1, 0)
    ]
    assert prunable(versions, (), 2, NOW.astimezone(zone)) == prunable(uploaded(3, 2.2, 2, 1, 0.1, 0), (), 2, NOW)


@pytest.mark.parametrize(("maximum", "pinned"), [(10, 8), (3, 1), (2, 0), (1, 0)])
def test_all_but_two_may_be_pinned(maximum, pinned):
    assert max_pinned(maximum) == pinned


@st.composite
def rooms(draw):
    """History in its order, the number of holders of each content, and the room that is needed."""
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    holders = draw(st.lists(st.sets(st.integers(0, len(sizes) - 1), min_size=1), max_size=7))
    others = draw(st.lists(st.integers(0, 1), min_size=len(sizes), max_size=len(sizes)))
    history = [
        HistoryVersion(UUID(int=1), version, {UUID(int=n): sizes[n] for n in sorted(held)})
        for version, held in enumerate(holders, 1)
    ]
    uses = {UUID(int=n): others[n] + sum(n in held for held in holders) for n in range(len(sizes))}
    return history, uses, draw(st.integers(1, 12))


def is_freed(key, gone, uses):
    return uses[key] == sum(key in one.contents for one in gone)


def freed(gone, uses):
    sizes = {key: size for one in gone for key, size in one.contents.items()}
    return sum(size for key, size in sizes.items() if is_freed(key, gone, uses))


@RULES
@given(rooms())
def test_room_is_made_if_possible_and_only_by_useful_versions(room):
    history, uses, needed = room
    before = dict(uses)
    gone = to_make_room(needed, history, uses)
    assert uses == before
    if gone is None:
        assert freed(history, uses) < needed
        return
    assert freed(gone, uses) >= needed
    assert [one for one in history if one in gone] == gone
    # Each of them frees bytes, or is one of the holders of bytes that are freed.
    assert all(any(is_freed(key, gone, uses) for key in one.contents) for one in gone)
    # Without the last one there would not be enough room: no more was pruned than needed.
    assert freed(gone[:-1], uses) < needed


@RULES
@given(rooms())
def test_no_other_choice_makes_more_room_than_the_oldest_versions(room):
    history, uses, needed = room
    could = any(
        freed(chosen, uses) >= needed for number in range(len(history) + 1) for chosen in combinations(history, number)
    )
    assert (to_make_room(needed, history, uses) is not None) is could


def test_a_content_that_uses_no_room_frees_none():
    """The list of a set, which a user has uploaded as a file."""
    free, kept = UUID(int=1), UUID(int=2)
    history = [HistoryVersion(UUID(int=3), 1, {free: 5}), HistoryVersion(UUID(int=3), 2, {kept: 3, free: 5})]
    assert to_make_room(3, history, {kept: 1}) == history[1:]
    assert to_make_room(4, history, {kept: 1}) is None
