"""When a drill has passed, and where an archive has a gap."""

from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.libctl.backup.drill.verdict import Drill, DrillLimits, Marker, missing_segments, problems

_NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
_LIMITS = DrillLimits(rto=3600, rpo=300)
_MARKER = Marker("1", _NOON)


def drill(**changes):
    passed = {
        "seconds": {"fetch": 3000.0, "check": 600.0},
        "newest": _NOON - timedelta(seconds=300),
        "expected": _MARKER,
        "marker_found": True,
        "rows": 10,
        "users": 1,
    }
    return Drill("base", "b", _NOON, **{**passed, **changes})


def test_what_keeps_each_limit_exactly_has_passed():
    assert problems(drill(), _LIMITS) == []
    assert problems(drill(newest=_NOON + timedelta(seconds=1)), _LIMITS) == []  # clocks differ
    assert problems(drill(expected=None, marker_found=False), _LIMITS) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": {"fetch": 3601.0}}, "took 3601 s, more than 3600 s"),
        ({"newest": _NOON - timedelta(seconds=301)}, "is 301 s old, more than 300 s"),
        ({"newest": None}, "unknown"),
        ({"marker_found": False}, "marker of 2026-11-27 12:00:00 UTC did not come back"),
        ({"rows": 0, "users": 0}, "holds no rows"),
        ({"users": 0}, "holds no user"),
        ({"failures": ["schema library: differs"]}, "schema library"),
    ],
)
def test_each_thing_that_is_missing_is_one_problem(changes, words):
    [problem] = problems(drill(**changes), _LIMITS)
    assert words in problem


def segment(timeline, number):
    return f"{timeline:08X}{0:08X}{number:08X}"


@pytest.mark.parametrize(
    ("archived", "replayed", "gap"),
    [
        ([(1, 3), (1, 4), (1, 5)], [(1, 3), (1, 4), (1, 5)], None),
        ([(1, 3), (1, 4), (1, 6), (1, 7)], [(1, 3), (1, 4)], (1, 6)),
        ([(1, 3), (1, 4), (2, 4), (2, 5)], [(1, 3), (2, 4), (2, 5)], None),
        ([(1, 3), (2, 5)], [(1, 3)], (2, 5)),
        ([], [(1, 3)], None),
        ([(1, 3)], [], None),
    ],
)
def test_an_archive_that_continues_behind_the_end_has_a_gap(archived, replayed, gap):
    found = missing_segments([segment(*one) for one in archived], [segment(*one) for one in replayed])
    assert (segment(*gap) in found) if gap else found is None
