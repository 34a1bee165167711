"""Rarity, shares and progress on plain values."""

from datetime import UTC, datetime

import pytest
from gameshelf.achievements._rules import Reached, Step, advance, rarity, rarity_with, share, within
from hypothesis import given
from hypothesis import strategies as st

COUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("unlocks", "owners", "percent"),
    [(0, 0, None), (0, 5, 0.0), (1, 3, 33.3), (2, 3, 66.7), (1, 2000, 0.1), (1, 2001, 0.0), (5, 5, 100.0)],
)
def test_rarity_is_percent_with_one_decimal(unlocks, owners, percent):
    assert rarity(unlocks, owners) == percent


@given(COUNTS, st.integers(1, 10**9))
def test_rarity_is_the_nearest_tenth_and_never_out_of_bounds(unlocks, owners):
    found = rarity(unlocks, owners)
    assert 0 <= found <= 100
    if unlocks <= owners:
        assert abs(found - 100 * unlocks / owners) <= 0.05 + 1e-9


def test_the_rarity_of_an_unlock_has_the_unlock_in_it():
    assert rarity_with(0, 1000, counts=True) == 0.1
    assert rarity_with(0, 1000, counts=False) == 0.0
    assert rarity_with(0, 0, counts=True) == 100.0  # the purchase is not in the counters yet
    assert rarity_with(0, 0, counts=False) is None


def test_a_share_of_100_means_all():
    assert [share(0, 0), share(999, 1000), share(9999, 10000), share(7, 7)] == [0.0, 99.9, 99.9, 100.0]


@pytest.mark.parametrize(
    ("current", "is_unlocked", "target", "reported", "expected"),
    [
        (None, False, None, 0, Reached(Step.NOTHING, 0)),
        (None, False, None, 1, Reached(Step.PROGRESS, 1)),  # kept until the target is known
        (7, False, None, 10**6, Reached(Step.PROGRESS, 10**6)),
        (7, False, 5, 0, Reached(Step.UNLOCK, 5)),
        (None, False, None, None, Reached(Step.UNLOCK, 1)),
        (7, False, None, None, Reached(Step.UNLOCK, 7)),
        (3, False, 10, None, Reached(Step.UNLOCK, 10)),
        (10, True, 10, None, Reached(Step.NOTHING, 10)),
        (None, False, 10, 3, Reached(Step.PROGRESS, 3)),
        (3, False, 10, 2, Reached(Step.NOTHING, 3)),
        (3, False, 10, 10, Reached(Step.UNLOCK, 10)),
        (3, False, 10, 10**6, Reached(Step.UNLOCK, 10)),
        (10, True, 10, 4, Reached(Step.NOTHING, 10)),
        (8, False, 5, 1, Reached(Step.UNLOCK, 5)),  # the target was lowered below what was reached
    ],
)
def test_progress_never_goes_back_and_unlocks_at_the_target(current, is_unlocked, target, reported, expected):
    assert advance(current, is_unlocked, target, reported) == expected


def test_a_players_time_is_moved_to_between_first_access_and_now():
    since, now = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 20, tzinfo=UTC)
    inside = datetime(2026, 5, 10, tzinfo=UTC)
    times = (inside, datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC))
    assert [within(one, since, now) for one in times] == [inside, since, now]
