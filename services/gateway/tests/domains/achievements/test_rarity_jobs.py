"""The jobs behind rarities: a counter that somebody holds stops no other, and a recount resumes where it was."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.gateway.domains.achievements.jobs.rarity import RarityFold, RarityRecount
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.kernel.clock import utc_now

ADD = "INSERT INTO achievements.rarity_deltas (product_id, delta) SELECT $1, 1 FROM generate_series(1, 3)"


@pytest.fixture
async def pool(platform):
    made = await asyncpg.create_pool(platform.dsn, min_size=1, max_size=3)
    yield made
    await made.execute(
        "TRUNCATE achievements.rarity_deltas, achievements.product_owners, achievements.owned_products, "
        "achievements.recounts"
    )
    await made.close()


async def owners(pool):
    rows = await pool.fetch("SELECT product_id, owners FROM achievements.product_owners")
    return {row["product_id"]: row["owners"] for row in rows}


async def test_a_counter_that_can_not_be_written_stops_no_other(pool):
    poisoned, fine = uuid4(), uuid4()
    fold = RarityFold(pool.acquire)
    for product in (poisoned, fine):
        await pool.execute(ADD, product)
    await fold.run_once()
    assert await owners(pool) == dict.fromkeys((poisoned, fine), 3)
    for product in (poisoned, fine):
        await pool.execute(ADD, product)
    await pool.execute(
        "UPDATE achievements.product_owners SET owners = 9223372036854775807 WHERE product_id = $1", poisoned
    )
    await fold.run_once()
    assert (await owners(pool))[fine] == 6
    waiting = await pool.fetch("SELECT DISTINCT product_id FROM achievements.rarity_deltas")
    assert [row["product_id"] for row in waiting] == [poisoned]


@on_one_server("changes of a table that is copied wait for each other")
async def test_a_counter_that_is_held_stops_no_other(platform, pool):
    held, fine = uuid4(), uuid4()
    fold = RarityFold(pool.acquire)
    for _ in range(2):
        for product in (held, fine):
            await pool.execute(ADD, product)
        holder = await asyncpg.connect(platform.dsn)
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM achievements.product_owners WHERE product_id = $1 FOR UPDATE", held)
            await fold.run_once()
        await holder.close()
    assert await owners(pool) == {held: 3, fine: 6}
    await fold.run_once()
    assert await owners(pool) == {held: 6, fine: 6}


async def test_a_recount_resumes_and_skips_what_cannot_be_counted(pool):
    now, metrics = utc_now(), Metrics([AchievementMetrics])
    products = sorted((uuid4() for _ in range(4)), key=lambda product: product.bytes)
    for product in products:
        await pool.execute("INSERT INTO achievements.owned_products SELECT gen_random_uuid(), $1", product)
    first = RarityRecount(pool.acquire, metrics, lambda: now)
    assert not await first.step()  # no recount yet: the next one is in a day
    later = now + timedelta(days=1, seconds=1)
    assert await RarityRecount(pool.acquire, metrics, lambda: later).step()
    dying = RarityRecount(pool.acquire, metrics, lambda: later)
    assert await dying.step()
    assert await dying.step()
    assert await pool.fetchval("SELECT cursor FROM achievements.recounts") == products[1]

    class Breaking(RarityRecount):
        async def _count(self, progress, product_id):
            if product_id == products[2]:
                raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
            return await super()._count(progress, product_id)

    following = Breaking(pool.acquire, metrics, lambda: later)
    await following.run_once()
    assert await pool.fetchval("SELECT finished_at FROM achievements.recounts") == later
    found = await pool.fetch("SELECT product_id FROM achievements.rarity_deltas")
    assert {row["product_id"] for row in found} == {products[0], products[1], products[3]}
    assert not await following.step()
    assert metrics.registry.get_sample_value("achievements_rarity_differences_total") == 3
    assert await pool.fetchval("SELECT cursor FROM achievements.recounts") > UUID(int=0)
