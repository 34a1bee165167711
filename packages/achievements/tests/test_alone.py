"""The package without the gateway: many concurrent transactions on one user, ordered by the package alone."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.achievements import MIGRATIONS, AchievementUnlocked

TIMES = 12


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database for these tests alone, since they commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn, make_players):
    """Players over a connection that sees the committed state."""
    connection = await asyncpg.connect(dsn)
    yield make_players(connection)
    await connection.close()


@pytest.fixture
async def owner(watching):
    """A user, and a game that the user owns."""
    game = uuid4()
    async with watching.connection.transaction():
        user = await watching.own(game)
    return user, game


@pytest.fixture
def at_once(owner, dsn, make_players, side_by_side):
    async def at_once(use_case):
        """Runs a use case several times at once, each with players over a connection of its own and with a number.

        Returns the results and the events.
        """
        events = []

        async def run(connection, number):
            players = make_players(connection)
            players.may_play(*owner)
            await use_case(players, number)
            events.extend(players.events)

        return await side_by_side(dsn, TIMES, run), events

    return at_once


async def define(watching, game, **values):
    async with watching.connection.transaction():
        return await watching.define(game, **values)


async def test_one_of_many_unlocks_unlocks(owner, watching, at_once):
    user, game = owner
    achievement = await define(watching, game)
    came, events = await at_once(lambda players, _: players.service.unlock(user, achievement))
    assert came == {"done": 1, "AchievementAlreadyUnlocked": TIMES - 1}
    assert [type(event) for event in events] == [AchievementUnlocked]
    await watching.fold()
    found = await watching.one(user, achievement)
    assert (found.unlocks, found.owners) == (1, 1)


async def test_progress_never_goes_back(owner, watching, at_once):
    user, game = owner
    achievement = await define(watching, game, target_progress=TIMES)
    came, events = await at_once(lambda players, number: players.report(user, achievement, TIMES - number))
    assert came == {"done": TIMES}
    found = await watching.one(user, achievement)
    assert (found.current_progress, found.is_unlocked, len(events)) == (TIMES, True, 1)


async def test_an_owner_counts_once(owner, watching, at_once):
    user, game = owner
    achievement = await define(watching, game)
    other = uuid4()

    async def come_and_go(players, number):
        await (players.service.own if number % 2 else players.service.disown)(user, [game])
        await players.service.own(user, [other])

    assert (await at_once(come_and_go))[0] == {"done": TIMES}
    async with watching.connection.transaction():
        await watching.service.own(user, [game])
    await watching.fold()
    assert (await watching.one(user, achievement)).owners == 1
    assert await watching.counters.differences([game, other]) == []


async def test_a_grant_and_its_revocation_leave_true_counters(owner, watching, at_once):
    user, game = owner
    achievement = await define(watching, game)

    async def turn(players, number):
        await (players.service.grant if number % 2 else players.service.revoke)(user, achievement)

    assert (await at_once(turn))[0] == {"done": TIMES}
    assert await watching.counters.differences([game]) == []
