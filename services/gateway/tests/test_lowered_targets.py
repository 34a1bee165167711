"""A player for whom the unlock of a lowered target fails, and one who is busy: the others are unlocked all the same."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.events import CloudEvent, publish

UPDATED = "com.platform.catalog.product.updated.v1"


@pytest.fixture
async def database(platform):
    connection = await asyncpg.connect(platform.dsn)
    yield connection
    await connection.close()


async def said(platform, product, achievement, **more):
    data = {"productId": str(product), "achievements": [{"id": str(achievement), **more}]}
    await publish(platform.kafka.address, [CloudEvent(UPDATED, data)])


async def test_a_player_who_fails_or_is_busy_holds_up_no_other(platform, service, new_player, database, wait_until):
    product, achievement = uuid4(), uuid4()
    players = [new_player() for _ in range(4)]
    await said(platform, product, achievement, targetProgress=200)
    for player in players:
        await player.buys(product)

        async def has_reported(player=player):
            sent = await player.post(f"/achievements/{achievement}/progress", {"current_progress": 150})
            return sent.status_code == 200

        await wait_until(has_reported)

    async def unlocked(player):
        [one] = (await player.get(f"/achievements/status/{product}"))["data"]
        return one["attributes"]["is_unlocked"]

    failing, held, *others = players
    await database.execute(
        "CREATE FUNCTION achievements.poison() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation'; END $$"
    )
    await database.execute(
        "CREATE TRIGGER poison BEFORE UPDATE ON achievements.user_achievements FOR EACH ROW "
        f"WHEN (NEW.user_id = '{failing.id}' AND NEW.is_unlocked) EXECUTE FUNCTION achievements.poison()"
    )
    try:
        holding = database.transaction()
        await holding.start()
        await database.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", held.id)
        await said(platform, product, achievement, targetProgress=100)

        async def others_are_unlocked():
            return all([await unlocked(player) for player in others])

        await wait_until(others_are_unlocked)
        assert not await unlocked(held)
        await holding.rollback()
        await wait_until(lambda: unlocked(held), 60)
        assert not await unlocked(failing)
    finally:
        await database.execute("DROP FUNCTION achievements.poison() CASCADE")
    await wait_until(lambda: unlocked(failing), 60)

    async def is_reviewed():
        return await database.fetchval(
            "SELECT reviewed_target = 100 FROM achievements.achievement_metadata WHERE id = $1", achievement
        )

    await wait_until(is_reviewed, 60)
    events = (await held.get("/events", cursor="0"))["data"]
    assert [one["attributes"]["event_type"] for one in events].count("achievement.unlocked") == 1
