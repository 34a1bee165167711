"""Where tables are distributed, a review continues for as long as a report may take that has read the old target."""

import asyncio
import itertools
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.domains.achievements.jobs import targets
from gameshelf.gateway.wiring import MIGRATIONS


class OfDistributed(asyncpg.Connection):
    is_distributed = True


@pytest.fixture
async def pool(create_database):
    dsn = await asyncio.to_thread(create_database, *MIGRATIONS)
    made = await asyncpg.create_pool(dsn, min_size=1, max_size=2, connection_class=OfDistributed)
    yield made
    await made.close()


async def test_a_review_does_not_end_before_the_longest_report(pool, monkeypatch, wait_until):
    define = "INSERT INTO achievements.achievement_metadata (id, product_id, target_progress) VALUES ($1, $1, 5)"
    await pool.execute(define, uuid4())

    async def is_reviewed(job):
        await job.run_once()
        return await pool.fetchval("SELECT reviewed_target = 5 FROM achievements.achievement_metadata")

    job = targets.LoweredTargets(pool.acquire, None)
    for seconds in (0, 60, 119):
        # Not the time of the whole process, by which the connections wait.
        monkeypatch.setattr(targets, "time", SimpleNamespace(monotonic=lambda seconds=seconds: 1000.0 + seconds))
        assert not await is_reviewed(job)
    later = itertools.count(1500.0, 60.0)  # a walk that still met a transaction of others is followed by another one
    monkeypatch.setattr(targets, "time", SimpleNamespace(monotonic=lambda: next(later)))
    await wait_until(lambda: is_reviewed(job))
