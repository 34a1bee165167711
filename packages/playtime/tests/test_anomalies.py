"""Impossible play counts, and is flagged."""

from datetime import UTC, datetime, timedelta

from gameshelf.playtime import AnomalyFound

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def found(play):
    return [(event.kind, event.seconds) for event in play.events if isinstance(event, AnomalyFound)]


async def flagged(play):
    rows = await play.connection.fetch("SELECT kind, seconds FROM playtime.playtime_anomalies ORDER BY kind, subject")
    return [tuple(row) for row in rows]


async def test_a_day_with_more_than_a_day_of_play_is_kept_and_flagged(play):
    one, other = play.own(), play.own()
    midnight = play.now.replace(day=10, hour=0)
    await play.import_sessions(play.offline(one, midnight, 14 * 60, device_id="desk"))
    assert not found(play)
    play.later(hours=13)
    await play.import_sessions(play.offline(other, midnight, 13 * 60, device_id="deck"))
    assert found(play) == [("long_day", 27 * 3600)]
    assert await play.total(other) == 13 * 3600
    assert await flagged(play) == [("long_day", 27 * 3600)]


async def test_exactly_a_day_is_flagged_and_a_second_less_is_not(play):
    midnight = play.now.replace(day=10, hour=0)
    await play.import_sessions(play.offline(play.own(), midnight - timedelta(days=1), 24 * 60 - 1))
    assert not found(play)
    await play.import_sessions(play.offline(play.own(), midnight, 24 * 60, device_id="deck"))
    assert ("long_day", 24 * 3600) in found(play)


async def test_days_played_through_are_flagged_whatever_the_devices(play):
    game = play.own(since=NOW - timedelta(days=400))
    first = play.now.replace(hour=0) - timedelta(days=89)
    days = [
        play.offline(game, first + timedelta(days=day), 24 * 60, device_id=f"device {day}", client_id="1")
        for day in range(88)
    ]
    assert await play.import_sessions(*days) == [("accepted", None)] * 88
    assert await play.total(game) == 7_603_200
    assert found(play) == [("long_day", 24 * 3600)] * 88


async def test_the_first_import_is_measured_by_the_first_access(play):
    old, game = play.own(since=NOW - timedelta(hours=30)), play.own(since=NOW - timedelta(hours=10))
    await play.import_sessions(
        *(play.offline(game, NOW - timedelta(hours=10), 10 * 60, device_id=name) for name in "ab")
    )
    assert found(play) == [("fast_import", 20 * 3600)]
    assert await flagged(play) == [("fast_import", 20 * 3600)]
    play.switch_user()
    play.events.clear()
    await play.import_sessions(
        play.offline(old, NOW - timedelta(hours=20), 10 * 60),
        play.offline(game, NOW - timedelta(hours=10), 10 * 60),
    )
    assert not found(play)


async def test_an_import_of_more_time_than_has_passed_is_flagged(play):
    game = play.own()
    await play.import_sessions(play.offline(game, play.now - timedelta(days=5), 600, device_id="deck"))
    assert not found(play)
    play.later(hours=2)
    await play.import_sessions(play.offline(game, play.now - timedelta(days=6), 100, device_id="desk"))
    assert not found(play)
    play.later(hours=2)
    await play.import_sessions(play.offline(game, play.now - timedelta(days=7), 180, device_id="deck"))
    assert found(play) == [("fast_import", 3 * 3600)]
    [subject] = await play.connection.fetch("SELECT subject FROM playtime.playtime_anomalies")
    assert subject[0] == f"{play.now:%Y-%m-%dT%H:%M:%SZ} deck"


async def test_an_import_of_less_time_than_has_passed_is_not_flagged(play):
    game = play.own()
    await play.import_sessions(play.offline(game, play.now - timedelta(days=5), 600))
    play.later(hours=10)
    await play.import_sessions(play.offline(game, play.now - timedelta(hours=9), 9 * 60))
    assert not found(play)


async def test_syncs_stay_bounded_and_those_of_the_release_before_count(play):
    game = play.own()
    await play.connection.execute(
        "INSERT INTO playtime.playtime_syncs VALUES ($1, 'desk', $2), ($1, 'deck', $3)",
        play.user,
        play.now - timedelta(hours=1),
        play.now - timedelta(days=9),
    )
    await play.import_sessions(
        *(play.offline(game, play.now - timedelta(hours=9), 60, device_id=f"{n}") for n in range(3))
    )
    assert found(play) == [("fast_import", 3 * 3600)]
    assert await play.connection.fetchval("SELECT count(*) FROM playtime.playtime_syncs") == 3


async def test_two_imports_of_a_device_in_one_second_are_flagged_in_full(play):
    game, other = play.own(), play.own()
    await play.import_sessions(play.offline(game, play.now - timedelta(days=5), 10, device_id="deck"))
    play.later(minutes=1)
    for product, minutes in ((game, 600), (other, 900)):
        await play.import_sessions(play.offline(product, play.now - timedelta(days=8), minutes, device_id="deck"))
        play.later(milliseconds=300)
    assert found(play) == [("fast_import", 600 * 60), ("fast_import", 900 * 60)]
    assert await flagged(play) == [("fast_import", 1500 * 60)]
