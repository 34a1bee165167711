"""The counters behind rarities: right after unlocks, purchases, refunds and erasures in any order."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.achievements import AchievementState, RarityRecounts
from gameshelf.devstack.pytest_plugin import sized
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 5, 20, tzinfo=UTC)
NOBODY, BLANK = UUID(int=0), AchievementState()


async def differences(players):
    """Returns every difference that a recount finds, product by product."""
    found, after = [], NOBODY
    while product := await players.counters.next_product(after):
        found += await players.counters.differences([product])
        after = product
    return found


async def test_rarity_is_what_share_of_the_owners_unlocked(players):
    game = uuid4()
    achievement = await players.define(game)
    users = [await players.own(game) for _ in range(8)]
    assert (await players.one(users[0], achievement)).rarity is None  # nothing is folded yet
    for user in users[:3]:
        await players.service.unlock(user, achievement)
    await players.fold()
    assert (await players.one(users[0], achievement)).rarity == 37.5
    await players.service.disown(users[0], [game])
    await players.fold()
    assert (await players.one(users[0], achievement)).rarity == 28.6
    await players.own(game, users[0])
    await players.fold()
    assert (await players.one(users[0], achievement)).rarity == 37.5


async def test_the_rarity_at_the_unlock_stays(players):
    game = uuid4()
    achievement = await players.define(game)
    first, *_ = [await players.own(game) for _ in range(4)]
    await players.fold()
    assert (await players.service.unlock(first, achievement)).rarity_at_unlock == 25.0
    for _ in range(6):
        await players.own(game)
    await players.fold()
    found = await players.one(first, achievement)
    assert (found.rarity_at_unlock, found.rarity) == (25.0, 10.0)


async def test_who_borrowed_the_game_does_not_count(players):
    game, borrower = uuid4(), uuid4()
    achievement = await players.define(game)
    await players.own(game)
    players.may_play(borrower, game)
    await players.fold()
    assert (await players.service.unlock(borrower, achievement)).rarity_at_unlock == 0.0
    await players.fold()
    assert (await players.one(borrower, achievement)).rarity == 0.0


async def test_a_counter_that_is_wrong_is_found_and_made_up_for(players):
    game = uuid4()
    achievement = await players.define(game)
    user = await players.own(game)
    await players.service.unlock(user, achievement)
    await players.fold()
    await players.connection.execute("UPDATE achievements.product_owners SET owners = 7 WHERE product_id = $1", game)
    await players.connection.execute(
        "DELETE FROM achievements.achievement_unlocks WHERE achievement_meta_id = $1", achievement
    )
    found = [(one.achievement_id, one.counted, one.kept) for one in await differences(players)]
    assert sorted(found, key=str) == sorted([(None, 1, 7), (achievement, 1, 0)], key=str)
    await players.connection.execute("DELETE FROM achievements.recounts")  # there is one for all products
    recounts = RarityRecounts(players.connection)
    assert await recounts.start(await recounts.progress(NOW), NOW + timedelta(days=1))
    progress = await recounts.progress(NOW)
    assert await recounts.move(progress, game, await differences(players))
    assert await differences(players) == []
    await players.fold()
    assert (await players.one(user, achievement)).rarity == 100.0


GAMES = [UUID(int=10), UUID(int=11)]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["own", "disown", "unlock", "progress", "grant", "revoke", "undo", "erase", "fold"]),
        st.integers(0, 2),
        st.integers(0, 1),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(ACTIONS)
@settings(
    max_examples=sized(20, 80),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_after_any_history_a_recount_finds_no_difference(players, actions):
    transaction = players.connection.transaction()
    await transaction.start()
    try:
        users = [uuid4() for _ in range(3)]
        achievements = {game: [await players.define(game, target_progress=2) for _ in range(2)] for game in GAMES}
        players.access.since.clear()
        for user, game in itertools.product(users, GAMES):
            players.may_play(user, game)
        owned, unlocked, before = set(), set(), {}
        for action, user, game, number in actions:
            user, game = users[user], GAMES[game]
            achievement = achievements[game][number]
            if action == "own":
                await players.service.own(user, [game])
                owned.add((user, game))
            elif action == "disown":
                await players.service.disown(user, [game])
                owned.discard((user, game))
            elif action in ("unlock", "progress"):
                reached = await players.report(user, achievement, 2 if action == "unlock" else 1)
                if reached.achievement.is_unlocked:
                    unlocked.add((user, game, achievement))
            elif action in ("grant", "revoke", "undo"):
                if action == "undo":
                    made = await players.service.restore(user, achievement, before.get((user, achievement), BLANK))
                else:
                    made = await getattr(players.service, action)(user, achievement)
                before[user, achievement] = made.before.state
                (unlocked.add if made.after.is_unlocked else unlocked.discard)((user, game, achievement))
            elif action == "erase":
                while await players.service.erase(user, 1):
                    pass
                owned = {pair for pair in owned if pair[0] != user}
                unlocked = {entry for entry in unlocked if entry[0] != user}
            else:
                await players.counters.fold(3)
            assert await differences(players) == []
        await players.fold()
        assert await differences(players) == []
        for game in GAMES:
            owners = {user for user, product in owned if product == game}
            for one in await players.queries.of_product(uuid4(), game):
                counted = {user for user, _, achievement in unlocked if achievement == one.id and user in owners}
                assert (one.unlocks, one.owners) == (len(counted), len(owners))
    finally:
        await transaction.rollback()


@pytest.fixture
async def connections(own_dsn):
    pool = await asyncpg.create_pool(own_dsn, min_size=1, max_size=8)
    yield pool
    await pool.close()


async def test_recounts_side_by_side_make_up_for_a_difference_once(connections, make_players):
    game = uuid4()
    async with connections.acquire() as connection, connection.transaction():
        await make_players(connection).own(game)
        recounts = RarityRecounts(connection)
        await recounts.start(await recounts.progress(NOW), NOW + timedelta(days=1))
    both_found = asyncio.Barrier(2)

    async def recount():
        async with connections.acquire() as connection:
            async with connection.transaction(isolation="repeatable_read"):
                progress = await RarityRecounts(connection).progress(NOW)
                found = await make_players(connection).counters.differences([game])
            assert found
            await both_found.wait()
            async with connection.transaction():
                return await RarityRecounts(connection).move(progress, game, found)

    async with connections.acquire() as connection:
        await connection.execute("DELETE FROM achievements.rarity_deltas WHERE product_id = $1", game)
        assert sorted(await asyncio.gather(recount(), recount())) == [False, True]
        assert await make_players(connection).counters.differences([game]) == []


async def test_a_product_is_counted_in_parts_and_folded_by_itself(players):
    game, other = uuid4(), uuid4()
    achievement = await players.define(game)
    users = [await players.own(game) for _ in range(7)]
    await players.own(other)
    for user in users[::2]:
        await players.service.unlock(user, achievement)
    for part in (1, 3, 7, 8):
        assert await players.counters.differences([game, other], part) == []
    mine = "DELETE FROM achievements.rarity_deltas WHERE product_id <> ALL($1)"
    await players.connection.execute(mine, [game, other])
    first, second = sorted([game, other])
    assert await players.counters.waiting(UUID(int=0), 5) == [first, second]
    assert await players.counters.waiting(first, 5) == [second]
    while await players.counters.fold_product(game, 4):
        pass
    assert await players.counters.waiting(UUID(int=0), 5) == [other]
    await players.connection.execute("UPDATE achievements.product_owners SET owners = 6 WHERE product_id = $1", game)
    for part in (1, 3, 7, 8):
        [wrong] = await players.counters.differences([game, other], part)
        assert (wrong.counted, wrong.kept) == (7, 6)


async def test_folding_beside_unlocks_and_another_folder_loses_nothing(connections, make_players):
    game = uuid4()
    async with connections.acquire() as connection:
        achievement = await make_players(connection).define(game)
    done = asyncio.Event()

    async def fold():
        while not done.is_set():
            async with connections.acquire() as connection, connection.transaction():
                await make_players(connection).counters.fold(5)

    async def play():
        for _ in range(15):
            async with connections.acquire() as connection, connection.transaction():
                players = make_players(connection)
                await players.service.unlock(await players.own(game), achievement)

    folding = [asyncio.ensure_future(fold()) for _ in range(2)]
    await asyncio.gather(*(play() for _ in range(4)))
    done.set()
    await asyncio.gather(*folding)
    async with connections.acquire() as connection:
        players = make_players(connection)
        while await connection.fetchval("SELECT count(*) FROM achievements.rarity_deltas"):
            async with connection.transaction():
                await players.counters.fold()
        found = await players.one(uuid4(), achievement)
        assert (found.unlocks, found.owners) == (60, 60)
        assert await players.counters.differences([game]) == []
