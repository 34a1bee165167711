"""Another service's clock can run ahead only so far."""

from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.kernel.clock import Moment, not_in_future
from pydantic import TypeAdapter, ValidationError

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_time_a_little_ahead_stays_unchanged():
    ahead = NOW + timedelta(minutes=5)
    assert not_in_future(ahead, NOW) == ahead


def test_a_time_far_ahead_counts_as_now():
    assert not_in_future(NOW + timedelta(minutes=5, seconds=1), NOW) == NOW


def test_the_past_is_never_changed():
    past = NOW - timedelta(days=9999)
    assert not_in_future(past, NOW) == past


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2026-05-20T12:00:00",
    ],
)
def test_a_time_outside_of_1970_to_2199_or_without_an_offset_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(text)


def test_a_time_is_converted_to_utc():
    moment = TypeAdapter(Moment).validate_python("2026-05-20T12:00:00+03:00")
    assert (moment.isoformat(), moment.tzinfo) == ("2026-05-20T09:00:00+00:00", UTC)
