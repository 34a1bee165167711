"""When a game was played: sleeps of the machine are not, and slow turns are no sleeps."""

from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.client.queue_entries import (
    ENDED_SESSION,
    OPEN_END,
    OPEN_SESSION,
    SESSION,
    is_held,
    rests_of,
    session_of,
    to_text,
)
from gameshelf.client.queue_stores import QueueEntry
from gameshelf.client.stretches import PlayedStretches
from hypothesis import given, settings
from hypothesis import strategies as st

BEGAN = datetime(2026, 11, 29, 12, tzinfo=UTC)


def after(seconds):
    return BEGAN + timedelta(seconds=seconds)


def seconds_of(stretches):
    return [tuple((time - BEGAN).total_seconds() for time in stretch) for stretch in stretches]


def ended(*stretches):
    """The end of a session with these stretches, in seconds."""
    texts = [[to_text(after(begin)), to_text(after(end))] for begin, end in stretches]
    return QueueEntry("s", ENDED_SESSION, {"product_id": "p", "device_id": "d", "platform": None, "stretches": texts})


def test_what_was_played_before_a_sleep_stays_played():
    played = PlayedStretches(BEGAN, 60)
    turns = [60, 120, 120 + 8 * 3600, 120 + 8 * 3600 + 60]
    assert [played.advance(after(seconds)) for seconds in turns] == [False, False, True, False]
    assert seconds_of(played.unacknowledged) == [(0, 120), (28920, 28980)]


@pytest.mark.parametrize(("interval", "gap", "is_sleep"), [(1, 150, False), (1, 151, True), (60, 180, False)])
def test_a_turn_that_waits_for_the_network_is_no_sleep(interval, gap, is_sleep):
    assert PlayedStretches(BEGAN, interval).advance(after(gap)) is is_sleep


def test_a_clock_that_is_set_back_takes_nothing_away():
    """All stretches are by the clock as it is now: so they stay one after the other."""
    played = PlayedStretches(BEGAN, 60)
    played.advance(after(60))
    assert not played.advance(after(-3600))
    played.advance(after(-3540))
    assert seconds_of(played.unacknowledged) == [(-3660, -3540)]


class TestClockOfTheService:
    @pytest.fixture
    def played(self):
        played = PlayedStretches(BEGAN, 60)
        played.compare(after(0), after(-7200), after(1))
        return played

    def test_an_answer_says_what_it_is_ahead(self, played):
        assert played.ahead == timedelta(seconds=-7200)
        assert played.at_service(after(60)) == after(60 - 7200)

    @pytest.mark.parametrize("service", [-1, 0, 30])
    def test_an_answer_that_takes_long_says_little(self, service):
        """It was given at any time between, and its time has no fractions."""
        played = PlayedStretches(BEGAN, 60)
        played.compare(after(0), after(service), after(30))
        assert played.ahead == timedelta()

    def test_a_clock_that_is_set_right_leaves_what_was_played_where_it_was(self, played):
        played.advance(after(60))
        played.advance(after(60 - 7200))
        assert played.at_service(played.current[1]) == after(60 - 7200)
        played.advance(after(120 - 7200))
        played.compare(after(120 - 7200), after(120 - 7200), after(120 - 7200))
        assert abs(played.ahead) <= timedelta(seconds=1)
        assert seconds_of([played.current]) == [(-7200, 120 - 7200)]

    def test_a_clock_that_is_set_back_while_an_answer_is_awaited(self, played):
        played.advance(after(60))
        played.compare(after(60), after(61 - 7200), after(61 - 7200))
        assert abs(played.ahead) <= timedelta(seconds=1)
        played.advance(after(120 - 7200))
        assert seconds_of([played.current]) == [(1 - 7200, 120 - 7200)]

    def test_a_clock_that_is_set_forward_leaves_what_was_played_where_it_was(self):
        """It looks like a sleep."""
        played = PlayedStretches(BEGAN, 60)
        played.compare(BEGAN, after(7200), BEGAN)
        played.advance(after(60))
        played.advance(after(7200 + 120))
        played.compare(after(7320), after(7320), after(7320))
        at_service = [tuple(map(played.at_service, stretch)) for stretch in played.unacknowledged]
        assert seconds_of(at_service) == [pytest.approx(one, abs=1) for one in ((7200, 7260), (7320, 7320))]


def test_what_a_heartbeat_has_acknowledged_is_not_kept():
    played = PlayedStretches(BEGAN, 60)
    for seconds in (1000, 2000, 3000):
        played.advance(after(seconds))
    played.acknowledge()
    assert seconds_of(played.unacknowledged) == [(3000, 3000)]


@settings(max_examples=25)
@given(st.lists(st.integers(-400, 400), max_size=30))
def test_stretches_never_count_a_second_that_was_no_turn(gaps):
    played, now, expected = PlayedStretches(BEGAN, 60), BEGAN, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        played.advance(now)
        expected += gap if 0 <= gap <= 180 else 0
    assert sum(end - begin for begin, end in seconds_of(played.unacknowledged)) == expected


class TestRests:
    def test_the_service_has_counted_until_its_last_heartbeat(self):
        session = {"end_reason": "timeout", "end_time": to_text(after(60))}
        rests = rests_of(ended((0, 120), (1000, 1300), (2000, 2000.5)), session)
        assert [one.kind for one in rests] == [SESSION, SESSION]
        assert [(one.attributes["start_time"], one.attributes["end_time"]) for one in rests] == [
            (to_text(after(60)), to_text(after(120))),
            (to_text(after(1000)), to_text(after(1300))),
        ]

    def test_their_ids_are_the_same_when_more_has_been_played(self):
        """Another process may have sent the first ones while the machine slept."""
        session = {"end_reason": "timeout", "end_time": to_text(after(60))}
        first = rests_of(ended((0, 50), (1000, 1100)), session)
        later = rests_of(ended((0, 50), (1000, 1100), (2000, 2100)), session)
        assert first == later[:1]
        assert len({one.id for one in later}) == 2

    @pytest.mark.parametrize("reason", ["completed", "seat_lost", None])
    def test_what_was_not_ended_by_a_timeout_has_none(self, reason):
        session = {"end_reason": reason, "end_time": to_text(after(60))}
        assert rests_of(ended((0, 1000)), session) == []


class TestHeld:
    """What a running game writes again is not sent by another process."""

    @pytest.mark.parametrize("kind", [OPEN_SESSION, OPEN_END, ENDED_SESSION])
    def test_an_entry_of_a_running_game_waits(self, kind):
        entry = QueueEntry("s", kind, {"held_until": to_text(after(60))})
        assert is_held(entry, after(60)) is (kind != ENDED_SESSION)
        assert not is_held(entry, after(61))

    def test_a_clock_that_was_set_back_by_years_holds_nothing(self):
        """The battery of the clock was empty, and it began in 2036."""
        entry = QueueEntry("s", OPEN_SESSION, {"held_until": to_text(after(86_461))})
        assert not is_held(entry, after(60))
        assert is_held(entry, after(61))

    @pytest.mark.parametrize(("seconds", "is_one"), [(0, False), (0.9, False), (1, True)])
    def test_what_a_crash_has_left_is_a_session(self, seconds, is_one):
        times = {"start_time": to_text(BEGAN), "end_time": to_text(after(seconds))}
        found = session_of(QueueEntry("s", OPEN_SESSION, {**times, "held_until": to_text(after(600))}))
        assert found == (QueueEntry("s", SESSION, times) if is_one else None)
