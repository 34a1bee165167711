"""Another service's clock can run ahead only so far."""

from datetime import UTC, datetime, timedelta

from gameshelf.kernel.clock import not_in_future

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_time_a_little_ahead_is_taken_as_it_is():
    ahead = NOW + timedelta(minutes=5)
    assert not_in_future(ahead, NOW) == ahead


def test_a_time_far_ahead_counts_as_now():
    assert not_in_future(NOW + timedelta(minutes=5, seconds=1), NOW) == NOW


def test_the_past_is_never_changed():
    past = NOW - timedelta(days=9999)
    assert not_in_future(past, NOW) == past
