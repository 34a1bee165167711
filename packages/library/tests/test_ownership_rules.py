"""Ownership is the oldest live grant, in any order in which the grants are received."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from gameshelf.library._models import AcquisitionType, GrantKind
from gameshelf.library._rules import Holding, is_newer, ownership

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def test_without_a_grant_there_is_no_ownership():
    assert ownership([]) is None


def test_the_oldest_grant_decides_in_any_order():
    held = [
        Holding(GrantKind.ORDER, "o", DAY),
        Holding(GrantKind.GIFT, "g", DAY - timedelta(days=1)),
        Holding(GrantKind.KEY, "k", DAY + timedelta(days=1)),
    ]
    for order in permutations(held):
        owned = ownership(order)
        assert owned is not None
        assert owned.acquisition_type is AcquisitionType.GIFT
        assert owned.added_at == DAY - timedelta(days=1)


def test_grants_of_one_instant_have_one_order():
    held = [Holding(GrantKind.ORDER, "b", DAY), Holding(GrantKind.ORDER, "a", DAY), Holding(GrantKind.KEY, "a", DAY)]
    assert len({ownership(order) for order in permutations(held)}) == 1


def test_of_two_facts_of_the_same_time_the_last_received_wins():
    assert is_newer(DAY, DAY)
    assert is_newer(DAY, None)
    assert not is_newer(DAY, DAY + timedelta(microseconds=1))
