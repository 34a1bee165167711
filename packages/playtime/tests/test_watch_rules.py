"""When silence counts as death: on plain values."""

from datetime import UTC, datetime, timedelta

from gameshelf.playtime.liveness import may_end, next_watch

NOW = datetime(2026, 5, 1, tzinfo=UTC)
GAP, TIMEOUT = timedelta(seconds=15), timedelta(seconds=300)


def look(watch, fast_ticks, after):
    return next_watch(fast_ticks, watch, NOW + timedelta(seconds=after), GAP)


def watched(seconds, step=2):
    watch = next_watch(None, None, NOW, GAP)
    for after in range(step, seconds + 1, step):
        watch = look(watch, watch.ticks, after)
    return watch


def test_after_a_full_time_out_without_a_break_silence_counts():
    assert not may_end(watched(298), NOW + timedelta(seconds=298), TIMEOUT)
    assert may_end(watched(300), NOW + timedelta(seconds=300), TIMEOUT)


def test_a_store_that_was_emptied_or_rolled_back_begins_anew():
    watch = watched(400)
    for fast_ticks in (None, watch.ticks - 1, watch.ticks + 1):
        assert look(watch, fast_ticks, 402).since == NOW + timedelta(seconds=402)
    assert look(watch, watch.ticks, 402).since == NOW


def test_a_time_in_which_nobody_looked_begins_anew():
    watch = watched(400)
    assert look(watch, watch.ticks, 415).since == NOW
    assert look(watch, watch.ticks, 416).since == NOW + timedelta(seconds=416)
