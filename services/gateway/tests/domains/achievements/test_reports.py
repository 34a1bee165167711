"""Reports of many players at once: with the same results as one player at a time, in few round trips."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.achievements import NamedAchievement, attempt_subject, refused_attempts
from gameshelf.devstack.pytest_plugin import on_one_server, sized
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.achievements.reports import Report, Reports, _groups
from gameshelf.gateway.wiring import build
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.library import GrantKind, LibraryService, NewGrant
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub

MANY = "reports of up to 50 players, up to 200 (`BatchUpdateAchievementProgress`)"
START = datetime(2026, 1, 1, tzinfo=UTC)
DEFINE = """
    INSERT INTO achievements.achievement_metadata (id, product_id, api_name, target_progress, server_authoritative)
    VALUES ($1, $2, $3, $4, $5)
"""
STATES = """
    SELECT achievement_meta_id, is_unlocked, unlocked_at IS NULL, current_progress, rarity_at_unlock IS NULL
    FROM achievements.user_achievements WHERE user_id = $1 ORDER BY 1
"""
UNLOCKED = """
    SELECT message::jsonb #>> '{payload,achievement_id}' FROM gateway.feed
    WHERE user_id = $1 AND message::jsonb ->> 'event_type' = 'achievement.unlocked' ORDER BY 1
"""
STREAM = "SELECT version, last_sequence FROM gateway.user_streams WHERE user_id = $1"
DIFFERENCE = """
    WITH counted AS (
        SELECT delta AS n FROM achievements.rarity_deltas WHERE product_id = $1 AND achievement_meta_id IS NOT NULL
        UNION ALL SELECT unlocks FROM achievements.achievement_unlocks WHERE product_id = $1
        UNION ALL SELECT -1 FROM achievements.user_achievements WHERE product_id = $1 AND is_unlocked
    ) SELECT coalesce(sum(n), 0) FROM counted
"""
ERASE = "UPDATE gateway.user_streams SET erased_at = now() WHERE user_id = $1"
HOLD = "SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE"
POISON = """
    CREATE FUNCTION achievements.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'poison' USING ERRCODE = '{code}';
    END $$;
    CREATE TRIGGER poison BEFORE INSERT ON achievements.user_achievements FOR EACH ROW
        WHEN (NEW.user_id = '{user}') EXECUTE FUNCTION achievements.poison();
"""
NO_POISON = "DROP TRIGGER poison ON achievements.user_achievements; DROP FUNCTION achievements.poison()"


class World:
    """A game with achievements, reports about which are applied in this process."""

    def __init__(self, gateway, connection):
        self.gateway, self.connection = gateway, connection
        self.reports = Reports(gateway.transactions, gateway.acquire)
        self.game, self.ids = uuid4(), {name: uuid4() for name in ("FIRST", "TEN", "SERVER")}

    async def apply(self, reports, *, by_server=True):
        """The outcomes of each player, none of whom may have failed."""
        applied = await self.reports.apply_all(reports, by_server=by_server)
        assert not applied.failures
        return applied.outcomes

    async def define(self):
        for name, target in (("FIRST", 1), ("TEN", 10), ("SERVER", 1)):
            await self.connection.execute(DEFINE, self.ids[name], self.game, name, target, name == "SERVER")

    async def owners(self, count):
        users = [uuid4() for _ in range(count)]
        for user in users:
            grant = NewGrant(self.game, GrantKind.ORDER, str(uuid4()), START)
            async with self.gateway.transactions.begin(user) as transaction:
                await transaction.of(LibraryService).grant(user, [grant])
        return users

    def unlock(self, name="FIRST"):
        return Report(self.ids[name], None)

    async def rows_of(self, user):
        found = [await self.connection.fetch(query, user) for query in (STATES, UNLOCKED, STREAM)]
        return [[tuple(row) for row in rows] for rows in found]


@pytest.fixture
async def world(measured, connection):
    made = World(measured.gateway, connection)
    await made.define()
    return made


@pytest.fixture
async def other(platform, world):
    """The same on another instance."""
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="api").environment))
    made = World(gateway, world.connection)
    made.game, made.ids = world.game, world.ids
    yield made
    await gateway.close()


def some(chance, world):
    """Reports of one player."""
    achievements = [
        *world.ids.values(),
        *(NamedAchievement(world.game, name) for name in ("FIRST", "TEN", "UNKNOWN")),
        uuid4(),
    ]
    return [
        Report(chance.choice(achievements), chance.choice([None, 0, 3, 10, 2_000_000_000]))
        for _ in range(chance.randint(1, 5))
    ]


def readable(outcomes):
    """Outcomes without what differs from player to player."""
    return [
        (
            one.newly_unlocked,
            one.refusal and (one.refusal.code, one.refusal.meta),
            one.achievement and (one.achievement.id, one.achievement.is_unlocked, one.achievement.current_progress),
        )
        for one in outcomes
    ]


@pytest.mark.parametrize("by_server", [True, False], ids=["of a server", "of players"])
async def test_a_batch_does_the_same_as_one_player_after_the_other(world, by_server, caplog):
    chance = random.Random(17)
    for _ in range(sized(2, 20)):
        stories = [some(chance, world) for _ in range(12)]
        together, apart = await world.owners(10), await world.owners(10)
        together += [uuid4(), uuid4()]  # strangers, who have no row yet
        apart += [uuid4(), uuid4()]
        found = await world.apply(dict(zip(together, stories, strict=True)), by_server=by_server)
        for one, twin, reports in zip(together, apart, stories, strict=True):
            alone = await world.apply({twin: reports}, by_server=by_server)
            assert readable(found[one]) == readable(alone[twin]), reports
            assert await world.rows_of(one) == await world.rows_of(twin), reports
    assert await world.connection.fetchval(DIFFERENCE, world.game) == 0
    assert not caplog.records  # of players who could not be served together


@on_one_server("each player is served alone")
async def test_fifty_players_cost_what_the_table_says(world, measured, documented):
    users = await world.owners(50)
    by_name = Report(NamedAchievement(world.game, "TEN"), 4)
    for even, odd in (
        ([world.unlock()], [Report(uuid4(), 1)]),
        ([by_name, world.unlock()], [Report(world.ids["TEN"], 7)]),
        ([by_name], [by_name]),
    ):
        reports = {user: odd if number % 2 else even for number, user in enumerate(users)}
        _, cost = await measured.count(world.apply(reports))
        assert cost == documented[MANY] + (by_name in even), measured.statements


def test_few_share_a_transaction():
    def sizes(*counts):
        return [[len(own) for own in group.values()] for group in _groups({uuid4(): [None] * one for one in counts})]

    assert sizes(*[1] * 120) == [[1] * 50, [1] * 50, [1] * 20]
    assert sizes(*[20] * 12) == [[20] * 10, [20] * 2]
    assert sizes(1, 21, 2) == [[1, 2]]
    assert sizes(1, 21) == sizes() == []


async def test_many_players_are_all_served(world):
    users = await world.owners(60)
    found = await world.apply({user: [world.unlock()] for user in users})
    assert [one.newly_unlocked for user in users for one in found[user]] == [True] * 60
    many = {users[0]: [world.unlock("SERVER")] * 21, users[1]: [world.unlock("SERVER")]}
    assert [sum(one.newly_unlocked for one in own) for own in (await world.apply(many)).values()] == [1, 1]
    assert await world.apply({}) == {}


async def test_a_player_whose_row_is_held_does_not_delay_the_others(world, platform, wait_until, caplog):
    users, holder = await world.owners(3), await asyncpg.connect(platform.dsn)
    async with holder.transaction():
        await holder.execute(HOLD, users[1])
        applied = asyncio.create_task(world.apply({user: [world.unlock()] for user in users}))

        async def others_are_done():
            return all([(await world.rows_of(user))[0] for user in (users[0], users[2])])

        await wait_until(others_are_done)
        assert not applied.done()
    await holder.close()
    found = await applied
    assert [found[user][0].newly_unlocked for user in users] == [True] * 3
    assert not caplog.records  # the others did not even wait a moment


async def test_an_erased_player_is_refused_and_the_others_served(world):
    users = await world.owners(3)
    await world.connection.execute(ERASE, users[1])
    found = await world.apply({user: [world.unlock()] for user in users})
    assert [found[user][0].newly_unlocked for user in users] == [True, False, True]
    assert isinstance(found[users[1]][0].refusal, PermissionDenied)


async def test_two_instances_unlock_for_the_same_players_once(world, other):
    users, chance = await world.owners(20), random.Random(3)

    def shuffled():
        return {user: [world.unlock()] for user in chance.sample(users, len(users))}

    found = await asyncio.gather(*(one.apply(shuffled()) for one in (world, other) for _ in range(4)))
    for user in users:
        assert sum(outcomes[user][0].newly_unlocked for outcomes in found) == 1
        assert (await world.rows_of(user))[1] == [(str(world.ids["FIRST"]),)]
    assert await world.connection.fetchval(DIFFERENCE, world.game) == 0


@on_one_server("it has no triggers")
@pytest.mark.parametrize("code", ["22000", "21000", "40001"])
async def test_who_fails_harms_nobody_else(world, code):
    users = await world.owners(5)
    await world.connection.execute(POISON.format(user=users[2], code=code))
    try:
        applied = await world.reports.apply_all({user: [world.unlock()] for user in users}, by_server=True)
    finally:
        await world.connection.execute(NO_POISON)
    assert [one.sqlstate for one in applied.failures] == [code]
    unlocked = [bool((await world.rows_of(user))[0]) for user in users]
    assert unlocked == [user in applied.outcomes for user in users] == [True, True, False, True, True]


@on_one_server("it has no triggers")
async def test_nobody_is_tried_after_a_failure_that_concerns_everybody(world):
    users = await world.owners(120)
    together, alone = users[:60], users[60:]
    await world.connection.execute(POISON.format(user=users[0], code="57P03"))  # the server is about to stop
    try:
        many = {user: [world.unlock()] * (1 if user in together else 21) for user in users}
        applied = await world.reports.apply_all(many, by_server=True)
        assert ([one.sqlstate for one in applied.failures], applied.outcomes) == (["57P03"], {})
        alone = {user: [world.unlock()] * 21 for user in (*users[:1], *alone)}
        applied = await world.reports.apply_all(alone, by_server=True)
        assert [one.sqlstate for one in applied.failures] == ["57P03"]
        assert len(applied.outcomes) < 60
    finally:
        await world.connection.execute(NO_POISON)


async def test_what_was_refused_is_noted_though_the_call_fails(
    world, platform, service, caller, connection, wait_until
):
    stranger, [held] = uuid4(), await world.owners(1)
    updates = [
        messages.UpdateAchievementProgressRequest(
            user_id=str(user), achievement_id=str(world.ids["FIRST"]), unlock=True
        )
        for user in (stranger, held)
    ]
    holder = await asyncpg.connect(platform.dsn)
    async with grpc.aio.insecure_channel(service.grpc) as channel, holder.transaction():
        await holder.execute(HOLD, held)
        call = AchievementServiceStub(channel).BatchUpdateAchievementProgress(
            messages.BatchUpdateAchievementProgressRequest(updates=updates), metadata=caller(uuid4(), "service")
        )
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    await holder.close()

    async def is_noted():
        return await refused_attempts(world.connection, stranger, [attempt_subject(world.ids["FIRST"])])

    await wait_until(is_noted)
