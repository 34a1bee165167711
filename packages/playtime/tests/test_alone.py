"""The package without the gateway: many transactions at once on one user, which nothing else serialises."""

from datetime import timedelta

import asyncpg
import pytest
from gameshelf.playtime import MIGRATIONS, SessionEnded, SessionResumed, SessionStarted

TIMES = 12


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database of these tests alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn, make_play):
    """A player over a connection that sees committed rows."""
    connection = await asyncpg.connect(dsn)
    play = make_play(connection)
    yield play
    await connection.close()


@pytest.fixture
def at_once(watching, dsn, make_play, side_by_side):
    async def at_once(use_case):
        """Runs a use case with a player over each connection, and a number. Returns the results and the events."""
        events = []

        async def run(connection, number):
            play = make_play(connection)
            play.user, play.now, play.owned.since = watching.user, watching.now, watching.owned.since
            await use_case(play, number)
            events.extend(play.events)

        return await side_by_side(dsn, TIMES, run), [type(event) for event in events]

    return at_once


async def test_starts_of_one_device_are_one_session(watching, at_once):
    game = watching.own()
    came, events = await at_once(lambda play, _: play.start(game, "deck"))
    assert came == {"done": TIMES}
    assert (events.count(SessionStarted), events.count(SessionResumed)) == (1, TIMES - 1)


async def test_a_session_ends_and_counts_once(watching, at_once):
    game = watching.own()
    async with watching.connection.transaction():
        session = await watching.start(game)
    watching.later(minutes=10)
    came, events = await at_once(lambda play, _: play.end(session))
    assert came == {"done": TIMES}
    assert (events.count(SessionEnded), await watching.total(game)) == (1, 600)


async def test_overlapping_sessions_of_all_devices_count_once(watching, at_once):
    game = watching.own()
    sessions = []
    for number in range(TIMES):
        async with watching.connection.transaction():
            sessions.append(await watching.start(game, f"device {number}"))
    watching.later(minutes=10)
    assert (await at_once(lambda play, number: play.end(sessions[number])))[0] == {"done": TIMES}
    assert await watching.total(game) == 600


async def test_an_import_counts_once(watching, at_once):
    game = watching.own()
    offline = [watching.offline(game, watching.now - timedelta(hours=2), 30, "a")]
    results = []

    async def import_all(play, _):
        results.extend(await play.import_sessions(*offline))

    assert (await at_once(import_all))[0] == {"done": TIMES}
    assert sorted(result for result, _ in results) == ["accepted", *["duplicate"] * (TIMES - 1)]
    assert await watching.total(game) == 1800


async def test_corrections_subtract_no_more_than_there_is(watching, at_once):
    game = watching.own()
    async with watching.connection.transaction():
        await watching.service.correct(watching.user, game, 500, "compensation")
    came, _ = await at_once(lambda play, _: play.service.correct(play.user, game, -100, "a mistake"))
    assert came == {"done": 5, "InvalidInput": TIMES - 5}
    assert await watching.total(game) == 0
