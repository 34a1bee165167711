"""A player for whom the unlock of a lowered target fails, and one who is busy: all others are unlocked."""

import re
from uuid import uuid4

import asyncpg
import httpx
from gameshelf.achievements import AchievementService, ProgressUpdate
from gameshelf.devstack.access import AllButBarred
from gameshelf.devstack.events import CloudEvent, publish

UPDATED = "com.platform.catalog.product.updated.v1"


async def said(platform, product, achievement, **more):
    data = {"productId": str(product), "achievements": [{"id": str(achievement), **more}]}
    await publish(platform.kafka.address, [CloudEvent(UPDATED, data)])


async def test_a_player_who_fails_or_is_busy_holds_up_no_other(platform, service, new_player, connection, wait_until):
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
    await connection.execute(
        "ALTER TABLE achievements.user_achievements ADD CONSTRAINT poison "
        f"CHECK (user_id <> '{failing.id}' OR NOT is_unlocked) NOT VALID"
    )
    try:
        holding = connection.transaction()
        await holding.start()
        await connection.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", held.id)
        await said(platform, product, achievement, targetProgress=100)

        async def others_are_unlocked():
            return all([await unlocked(player) for player in others])

        await wait_until(others_are_unlocked)
        assert not await unlocked(held)
        await holding.rollback()
        await wait_until(lambda: unlocked(held))
        assert not await unlocked(failing)
    finally:
        await connection.execute("ALTER TABLE achievements.user_achievements DROP CONSTRAINT poison")
    await wait_until(lambda: unlocked(failing))

    async def is_reviewed():
        return await connection.fetchval(
            "SELECT reviewed_target = 100 FROM achievements.achievement_metadata WHERE id = $1", achievement
        )

    await wait_until(is_reviewed)
    events = (await held.get("/events", cursor="0"))["data"]
    assert [one["attributes"]["event_type"] for one in events].count("achievement.unlocked") == 1


async def test_a_late_report_against_an_old_target_is_unlocked(platform, service, new_player, connection, wait_until):
    product, achievement, player = uuid4(), uuid4(), new_player()
    await said(platform, product, achievement, targetProgress=200)
    await player.buys(product)
    await wait_until(player.products)

    async def state():
        [one] = (await player.get(f"/achievements/status/{product}"))["data"] or [None]
        return one and one["attributes"]

    async def runs():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        return sum(
            float(value) for value in re.findall(r'^job_runs_total\{job="targets",.*\} (\S+)$', text, re.MULTILINE)
        )

    async def target():
        return await connection.fetchval(
            "SELECT target_progress FROM achievements.achievement_metadata WHERE id = $1", achievement
        )

    await wait_until(state)
    reporting = await asyncpg.connect(platform.dsn)

    async def serialise(user_id):  # as the service does: on Citus this gives the transaction no id on the coordinator
        await reporting.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", user_id)

    async with reporting.transaction():
        report = AchievementService(reporting, lambda event: None, AllButBarred(), serialise=serialise)
        assert not (await report.report(player.id, ProgressUpdate(achievement, 150))).newly_unlocked
        await said(platform, product, achievement, targetProgress=100)

        async def is_lowered():
            return await target() == 100

        await wait_until(is_lowered)
        before = await runs()

        async def was_looked_at():
            return await runs() >= before + 5

        await wait_until(was_looked_at)
    await reporting.close()

    async def is_unlocked():
        return (await state())["is_unlocked"]

    await wait_until(is_unlocked)
