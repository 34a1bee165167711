"""Play that a device has not synchronised: its sessions after a moment."""

from datetime import timedelta
from random import Random

from gameshelf.playtime import MAX_RUNNING_DEVICES
from gameshelf.playtime._rules import Interval, union_seconds

HOUR = 3600


async def unsynced(play, game, moments, otherwise=None):
    otherwise = otherwise or play.now - timedelta(days=30)
    found = await play.queries.unsynced(play.user, game, moments, otherwise)
    return {one.device_id: (one.seconds, one.running_since) for one in found}


async def test_play_counts_from_the_moment_of_its_device(play):
    game, began = play.own(), play.now - timedelta(hours=10)
    await play.import_sessions(
        play.offline(game, began, 60, device_id="deck"),
        play.offline(game, began + timedelta(minutes=30), 60, device_id="deck"),
        play.offline(game, began, 60, device_id="desk"),
        play.offline(game, began, 60, device_id="not asked"),
    )
    moments = {"deck": began + timedelta(minutes=15), "desk": began + timedelta(hours=1), "other": began}
    assert await unsynced(play, game, moments) == {"deck": (75 * 60, None), "desk": (0, None), "other": (0, None)}


async def test_a_running_session_counts_up_to_its_checkpoint(play):
    game = play.own()
    session = await play.start(game, "deck")
    play.later(minutes=20)
    assert await unsynced(play, game, {"deck": play.now - timedelta(days=1)}) == {"deck": (0, session.start_time)}
    await play.connection.execute(
        "UPDATE playtime.playtime_sessions SET last_heartbeat_at = $2 WHERE user_id = $1", play.user, play.now
    )
    after = session.start_time + timedelta(minutes=5)
    assert await unsynced(play, game, {"deck": after}) == {"deck": (15 * 60, session.start_time)}


async def test_a_device_where_the_product_runs_is_named_unasked(play):
    game, began = play.own(), play.now - timedelta(hours=10)
    await play.import_sessions(play.offline(game, began, 60, device_id="deck"))
    session = await play.start(game, "deck")
    await play.start(play.own(), "desk")
    assert await unsynced(play, game, {}, began) == {"deck": (HOUR, session.start_time)}
    assert await unsynced(play, game, {}, play.now) == {"deck": (0, session.start_time)}


async def test_the_number_of_devices_is_bounded(play):
    game = play.own()
    for number in range(MAX_RUNNING_DEVICES + 2):
        await play.start(game, f"deck {number}")
        play.later(seconds=1)
    found = await unsynced(play, game, {})
    assert len(found) == MAX_RUNNING_DEVICES
    assert {"deck 0", "deck 1"}.isdisjoint(found)


async def test_sums_are_those_of_the_ledger_at_any_moment(play):
    random, game = Random(7), play.own(since=play.now - timedelta(days=300))
    offline = [
        play.offline(game, play.now - timedelta(minutes=random.randint(1000, 9000)), 60 * random.randint(1, 12))
        for _ in range(40)
    ]
    offline = [one.model_copy(update={"device_id": random.choice(["deck", "desk"])}) for one in offline]
    accepted = await play.import_sessions(*offline)
    ledger = {"deck": [], "desk": []}
    for one, (result, _) in zip(offline, accepted, strict=True):
        if result == "accepted":
            ledger[one.device_id].append(one)
    assert all(ledger.values())
    for _ in range(20):
        moments = {one: play.now - timedelta(minutes=random.randint(0, 9000)) for one in ledger}
        expected = {
            device: union_seconds(Interval(max(one.start_time, moment), one.end_time) for one in ledger[device])
            for device, moment in moments.items()
        }
        found = await unsynced(play, game, moments)
        assert {device: spent for device, (spent, _) in found.items()} == expected
