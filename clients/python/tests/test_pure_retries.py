"""When a request is repeated, and when it is not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from gameshelf.client import RetryRules
from gameshelf.client.retries import Attempts, is_temporary, pause_before, retry_after
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_what_says_later_is_repeated(status, method):
    assert is_temporary(status, method, False)


@pytest.mark.parametrize(
    ("method", "has_key", "expected"),
    [("GET", False, True), ("PUT", False, True), ("POST", True, True), ("POST", False, False), ("PATCH", False, False)],
)
def test_a_500_is_repeated_where_that_changes_nothing_twice(method, has_key, expected):
    assert is_temporary(500, method, has_key) is expected


@given(st.integers(400, 599).filter(lambda status: status not in (429, 500, 502, 503, 504)))
def test_other_refusals_are_final(status):
    assert not is_temporary(status, "GET", True)


@pytest.mark.parametrize("said", ["", "soon", "-1", "1.5", "٣", "Sat, 99 Foo", "9" * 400 + "x"])
def test_a_header_that_says_nothing(said):
    assert retry_after(httpx.Headers({b"Retry-After": said.encode()})) is None


def test_a_time_is_read_by_the_clock_of_the_service():
    there = datetime(2020, 1, 1, tzinfo=UTC)  # whatever the clock of this machine says
    later = there + timedelta(seconds=7)
    assert retry_after(httpx.Headers({"Retry-After": format_datetime(later), "Date": format_datetime(there)})) == 7
    assert retry_after(httpx.Headers({"Retry-After": format_datetime(there), "Date": format_datetime(later)})) == 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("9" * 5000, 31_536_000),  # notatallshaw/nab#596: more digits than a number may have
        ("Fri, 31 Dec 9999 23:59:59 GMT", 31_536_000),  # openai/openai-agents-python#4021: a caller that waits so long
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),  # the same, and anthropic-sdk-python#1827: after all years
        ("Sat, 28 Nov 2026 10:00:05 -0000", 5),  # AstroVela/vane#170: a date without a zone
        ("0", 0),
    ],
)
def test_values_that_have_stopped_other_clients(said, expected):
    assert retry_after(httpx.Headers({"Retry-After": said, "Date": "Sat, 28 Nov 2026 10:00:00 GMT"})) == expected


@given(st.integers(1, 500), st.none() | st.floats(0, 60))
def test_a_pause_is_what_was_said_and_at_most_20_seconds_more(tried, said):
    assert (said or 0) <= pause_before(tried, said) <= (said or 0) + 20


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 200), st.booleans()), min_size=1, max_size=50),
    st.builds(RetryRules, st.integers(1, 8), st.integers(1, 8), st.floats(0, 100), st.floats(0, 300)),
)
def test_tries_and_time_have_bounds(failures, rules):
    attempts, now = Attempts(rules, 0.0), 0.0
    for took, said, is_connection in failures:
        now += took
        pause = attempts.failed(now, said, is_connection=is_connection)
        if pause is None:
            break
        now += pause
        assert now <= rules.total_seconds
    assert attempts.tried <= max(rules.tries, rules.tries_to_connect)


def test_a_request_that_reached_nobody_was_not_applied():
    attempts = Attempts(RetryRules(), 0.0)
    attempts.failed(0.0, is_connection=True)
    assert not attempts.may_be_applied
    attempts.failed(0.0)
    assert attempts.may_be_applied
