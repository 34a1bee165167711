"""When a silent session counts as dead, on plain values."""

from datetime import UTC, datetime, timedelta

from gameshelf.playtime import Seen, Watch, longest_gap, may_end, next_watch

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TIMEOUT = timedelta(seconds=300)
GAP = longest_gap(TIMEOUT)


def moment(after):
    return NOW + timedelta(seconds=after)


def look(watch, after, ticks=0, accepted=None):
    """Looks once more; ``ticks`` is the difference of the fast store's count."""
    accepted_at = moment(after if accepted is None else accepted)
    return next_watch(Seen(watch.ticks + ticks, accepted_at), watch, moment(after), GAP)


def watched(seconds, step=2):
    watch = Watch(1, NOW, NOW)
    for after in range(step, seconds + 1, step):
        watch = look(watch, after)
    return watch


def test_after_a_full_time_out_without_a_break_silence_counts():
    assert not may_end(watched(298), moment(298), TIMEOUT)
    assert may_end(watched(300), moment(300), TIMEOUT)


def test_a_store_that_was_emptied_or_rolled_back_restarts_the_watch():
    watch = watched(400)
    assert next_watch(Seen(None, moment(402)), watch, moment(402), GAP).since == moment(402)
    for ticks in (-1, 1):
        assert look(watch, 402, ticks).since == moment(402)
    assert look(watch, 402).since == NOW


def test_a_time_without_a_look_restarts_the_watch():
    watch = watched(400)
    assert look(watch, 475).since == NOW
    assert look(watch, 476).since == moment(476)


def test_a_time_without_accepted_heartbeats_restarts_the_watch():
    watch = watched(400)
    assert look(watch, 402, accepted=327).since == NOW
    assert look(watch, 402, accepted=326).since == moment(402)
    assert next_watch(Seen(watch.ticks, None), watch, moment(402), GAP).since == moment(402)


def test_a_watch_without_looks_ends_no_session():
    watch = watched(400)
    assert may_end(watch, moment(475), TIMEOUT)
    assert not may_end(watch, moment(476), TIMEOUT)
