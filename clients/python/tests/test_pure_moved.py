"""Sessions of a wrong clock, and where they are moved to: what overlaps counts once."""

from datetime import UTC, datetime, timedelta

from gameshelf.client.queue_entries import SESSION, moved_of, to_text
from gameshelf.client.queue_stores import QueueEntry
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOURS = timedelta(hours=3)


def session(name, begin, end):
    """A session, in minutes from now."""
    times = {"start_time": to_text(NOW + timedelta(minutes=begin)), "end_time": to_text(NOW + timedelta(minutes=end))}
    return QueueEntry(name, SESSION, times)


def minutes_of(entries):
    times = [(one.attributes["start_time"], one.attributes["end_time"]) for one in entries]
    return [tuple((datetime.fromisoformat(one) - NOW) / timedelta(minutes=1) for one in pair) for pair in times]


def test_sessions_of_a_clock_that_is_still_wrong_keep_their_distances():
    entries = [session("a", 80, 110), session("b", 140, 170)]
    assert minutes_of(moved_of(entries, "ab", NOW + HOURS, NOW)) == [(-100, -70), (-40, -10)]


def test_sessions_of_a_clock_that_was_set_right_do_not_overlap():
    """All of them ended now: then one would have counted."""
    entries = [session("a", 80, 110), session("b", 140, 170), session("c", -10, -1)]
    moved = moved_of(entries, "ab", NOW, NOW)
    assert [one.id for one in moved] == ["a", "b"]
    assert minutes_of(moved) == [(-70, -40), (-40, -10)]


def test_times_that_are_not_of_a_wrong_clock_stay():
    assert moved_of([session("a", -90, -60)], "a", NOW, NOW) == []


spans = st.lists(st.tuples(st.integers(-400, 400), st.integers(1, 60), st.booleans()), max_size=12)


@settings(max_examples=60)
@given(spans)
def test_what_is_moved_overlaps_with_nothing(spans):
    entries = [session(str(number), begin, begin + length) for number, (begin, length, _) in enumerate(spans)]
    refused = {str(number) for number, (*_, is_refused) in enumerate(spans) if is_refused}
    moved = moved_of(entries, refused, NOW, NOW)
    accepted = minutes_of([one for one in entries if one.id not in refused])
    placed = minutes_of(moved)
    assert all(end <= 0 for _, end in placed)
    for number, (begin, end) in enumerate(placed):
        others = [*accepted, *placed[:number]]
        assert not any(other_begin < end and begin < other_end for other_begin, other_end in others)
    lengths = {one.id: end - begin for one, (begin, end) in zip(moved, placed, strict=True)}
    assert all(lengths[one.id] == spans[int(one.id)][1] for one in moved)
