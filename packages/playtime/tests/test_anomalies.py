"""Play that can't be is kept, and flagged."""

from datetime import timedelta

from gameshelf.playtime import AnomalyFound


def found(play):
    return [(event.kind, event.seconds) for event in play.events if isinstance(event, AnomalyFound)]


async def flagged(play):
    rows = await play.connection.fetch("SELECT kind, seconds FROM playtime.playtime_anomalies ORDER BY kind, subject")
    return [tuple(row) for row in rows]


async def test_a_day_with_more_than_a_day_of_play_is_kept_and_flagged(play):
    one, other = play.own(), play.own()
    midnight = play.now.replace(day=10, hour=0)
    await play.tell(play.offline(one, midnight, 14 * 60, device_id="desk"))
    assert not found(play)
    await play.tell(play.offline(other, midnight, 13 * 60, device_id="deck"))
    assert found(play) == [("long_day", 27 * 3600)]
    assert await play.total(other) == 13 * 3600
    assert await flagged(play) == [("long_day", 27 * 3600)]


async def test_exactly_a_day_is_no_anomaly(play):
    midnight = play.now.replace(day=10, hour=0)
    await play.tell(
        play.offline(play.own(), midnight, 24 * 60), play.offline(play.own(), midnight - timedelta(days=1), 600)
    )
    assert not found(play)


async def test_a_device_that_tells_of_more_than_has_passed_is_flagged(play):
    game = play.own()
    await play.tell(play.offline(game, play.now - timedelta(days=5), 600, device_id="deck"))
    assert not found(play)  # nothing is known of the time before
    play.later(hours=2)
    await play.tell(play.offline(game, play.now - timedelta(days=6), 180, device_id="desk"))
    assert not found(play)
    await play.tell(play.offline(game, play.now - timedelta(days=7), 180, device_id="deck"))
    assert found(play) == [("fast_import", 3 * 3600)]


async def test_a_device_that_tells_of_what_has_passed_is_not(play):
    game = play.own()
    await play.tell(play.offline(game, play.now - timedelta(days=5), 600))
    play.later(hours=10)
    await play.tell(play.offline(game, play.now - timedelta(hours=9), 9 * 60))
    assert not found(play)


async def test_two_imports_of_a_device_in_the_same_second_are_flagged_with_all_they_told(play):
    game, other = play.own(), play.own()
    await play.tell(play.offline(game, play.now - timedelta(days=5), 10, device_id="deck"))
    play.later(minutes=1)
    for product, minutes in ((game, 600), (other, 900)):
        await play.tell(play.offline(product, play.now - timedelta(days=8), minutes, device_id="deck"))
        play.later(milliseconds=300)
    assert found(play) == [("fast_import", 600 * 60), ("fast_import", 900 * 60)]
    assert await flagged(play) == [("fast_import", 1500 * 60)]
