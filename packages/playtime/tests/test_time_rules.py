"""Rules about time, on plain values."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from gameshelf.playtime._rules import (
    ImportRefusal,
    Interval,
    by_day,
    clip,
    extend,
    judge_import,
    union,
    union_seconds,
    utc_days,
)
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 1, 1, tzinfo=UTC)


def interval(start, length):
    return Interval(START + timedelta(seconds=start), START + timedelta(seconds=start + length))


intervals = st.lists(st.builds(interval, st.integers(0, 400), st.integers(0, 60)), max_size=30)


def recounted(played):
    """Counts seconds one by one, which is slow and obviously right."""
    return len({second for one in played for second in range(int(one.start.timestamp()), int(one.end.timestamp()))})


@given(intervals)
def test_the_union_is_as_long_as_its_seconds_counted_one_by_one(played):
    assert union_seconds(played) == recounted(played)
    merged = union(played)
    assert all(earlier.end < later.start for earlier, later in pairwise(merged))


@given(st.lists(intervals, max_size=6))
def test_adding_part_by_part_in_any_order_comes_to_the_union(parts):
    kept, total = [], 0
    for part in parts:
        low = min((new.start for new in part), default=START)
        high = max((new.end for new in part), default=START)
        touching = [old for old in kept if old.start <= high and old.end >= low]
        extension = extend(touching, part)
        kept = sorted({*kept} - {*extension.removed} | {*extension.added})
        total += extension.seconds
        assert 0 <= extension.seconds <= sum(new.seconds for new in part)
    played = [new for part in parts for new in part]
    assert kept == union(played)
    assert total == recounted(played)


zones = st.sampled_from(
    ["UTC", "Europe/Moscow", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
)
FIRST = datetime(2011, 12, 25, tzinfo=UTC)
moments = st.integers(0, 15 * 366 * 24 * 3600).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@given(st.lists(st.tuples(moments, st.integers(0, 4 * 24 * 3600)), max_size=5), zones)
def test_every_second_is_in_exactly_one_day_of_any_zone(played, zone):
    merged = union(Interval(start, start + timedelta(seconds=length)) for start, length in played)
    days = by_day(merged, ZoneInfo(zone))
    assert sum(days.values()) == union_seconds(merged)
    assert all(0 < spent <= 25 * 3600 for spent in days.values())


def test_a_day_on_which_clocks_go_back_has_twenty_five_hours():
    zone = ZoneInfo("America/New_York")
    day = Interval(datetime(2025, 11, 2, 4, tzinfo=UTC), datetime(2025, 11, 3, 5, tzinfo=UTC))
    assert by_day([day], zone) == {date(2025, 11, 2): 25 * 3600}


def test_the_days_of_utc_that_play_lies_in():
    day = timedelta(days=1)
    two = [Interval(START - timedelta(seconds=1), START + timedelta(seconds=1))]
    assert utc_days(two) == [Interval(START - day, START), Interval(START, START + day)]
    assert utc_days([Interval(START, START + day)]) == [Interval(START, START + day)]
    assert utc_days([Interval(START, START)]) == []


def test_the_part_inside_a_window():
    assert clip(interval(0, 10), interval(5, 10)) == interval(5, 5)
    assert clip(interval(0, 5), interval(5, 5)) is None


NOW = START + timedelta(days=100)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "since", "refusal"),
    [
        (NOW - HOUR, NOW, START, None),
        (NOW, NOW + timedelta(minutes=5), START, None),
        (NOW, NOW + timedelta(minutes=5, seconds=1), START, ImportRefusal.BAD_TIME),
        (NOW, NOW, START, ImportRefusal.BAD_TIME),
        (NOW, NOW - HOUR, START, ImportRefusal.BAD_TIME),
        (NOW - 24 * HOUR, NOW, START, None),
        (NOW - 25 * HOUR, NOW, START, ImportRefusal.BAD_TIME),
        (NOW - HOUR, NOW, NOW - HOUR, None),
        (NOW - 2 * HOUR, NOW, NOW - HOUR, ImportRefusal.BAD_TIME),
        (NOW - HOUR, NOW, NOW - HOUR + timedelta(minutes=5), None),
        (NOW - HOUR, NOW, NOW - HOUR + timedelta(minutes=5, seconds=1), ImportRefusal.BAD_TIME),
        (NOW - timedelta(days=90), NOW - timedelta(days=90) + HOUR, START, None),
        (NOW - timedelta(days=91), NOW - timedelta(days=91) + HOUR, START, ImportRefusal.BAD_TIME),
        (NOW - HOUR, NOW, None, ImportRefusal.NO_ACCESS),
    ],
)
def test_sessions_that_may_be_imported(start, end, since, refusal):
    assert judge_import(Interval(start, end), NOW, since, timedelta(days=90)) == refusal
