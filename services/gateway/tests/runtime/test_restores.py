"""After a backup was restored: lost events are applied again, none twice, and no object is deleted yet."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.replaced import ReplacedDatabase
from gameshelf.gateway.runtime.restores import (
    DeletionGate,
    mark_reconciled,
    newest_restore,
    open_restore,
    rewound,
    to_rewind,
)
from gameshelf.gateway.runtime.tables import MIGRATIONS as GATEWAY
from redis.asyncio import Redis


@pytest.fixture(scope="module")
def service(platform):
    """A service that is not started: a database can be copied only while it has no connections."""
    return platform.service()


@pytest.fixture
async def restored(platform, postgres):
    """Takes a backup of the platform's database (a copy), and later puts it in its place; services must be stopped."""

    class Backup:
        def take(self):
            self.name = f"copy{uuid4().hex[:12]}"
            postgres.create_database(self.name, template=platform.dsn.rpartition("/")[2].partition("?")[0])
            self.point = datetime.now(UTC)

        async def restore(self):
            """The DSN of the database as it was."""
            dsn = postgres.dsn(self.name)
            connection = await asyncpg.connect(dsn)
            async with connection.transaction():
                await connection.execute("SELECT savegames.mark_restored(), settings.mark_restored()")
                mark = "SELECT gateway.mark_restored($1, 'a copy', 'a test', 'the disk burned')"
                self.id = await connection.fetchval(mark, self.point)
            await connection.close()
            return dsn

    return Backup()


@pytest.mark.long
async def test_what_a_restore_has_lost_is_applied_again_and_nothing_twice(
    platform, service, restored, new_player, wait_until
):
    before, both, after = uuid4(), uuid4(), uuid4()
    first = service
    first.start()
    player = new_player(at=first)
    await player.buys(before, order="o1")
    await wait_until(lambda: has(player, {before}))
    etag = (await player.http.get("/items")).headers["ETag"]
    first.stop()
    await asyncio.to_thread(restored.take)

    first.start()
    await player.buys(both, order="o2")
    await player.buys(after, order="o3")
    await wait_until(lambda: has(player, {before, both, after}))
    lost_etag = (await player.http.get("/items")).headers["ETag"]
    [*_, newest] = (await player.get("/events", cursor=0))["data"]
    first.stop()

    second = platform.service(POSTGRES_DSN=await restored.restore())
    second.start()
    again = new_player(at=second, user_id=player.id)
    await wait_until(lambda: has(again, {before, both, after}))
    connection = await asyncpg.connect(second.environment["POSTGRES_DSN"])
    grants = await connection.fetch("SELECT source_id FROM library.ownership_grants WHERE user_id = $1", player.id)
    assert sorted(row["source_id"] for row in grants) == ["o1", "o2", "o3"]
    rewound = await connection.fetchval("SELECT count(*) FROM gateway.rewinds WHERE restore_id = $1", restored.id)
    assert rewound >= 5  # each topic's partitions
    await connection.close()

    # Tags and cursors that clients have from the lost time do not match the restored state.
    for remembered in (etag, lost_etag):
        answered = await again.http.get("/items", headers={"If-None-Match": remembered})
        assert answered.status_code == 200
    [resync] = (await again.get("/events", cursor=int(newest["id"])))["data"]
    assert resync["attributes"]["event_type"] == "resync.required"

    # Once is enough: a later start resumes where this one ended.
    second.stop()
    second.start()
    await again.buys(uuid4(), order="o4")
    await wait_until(lambda: log_has_one_rewind(second))
    second.stop()


async def test_nobody_deletes_until_the_store_has_been_compared(platform, restored):
    restored.take()
    dsn = await restored.restore()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        rounds = []

        async def run_once():
            rounds.append(1)

        metrics = Metrics()
        host, _, port = platform.valkey.address.partition(":")
        redis = Redis(host=host, port=int(port))
        replaced = ReplacedDatabase(pool.acquire, redis, metrics)
        guarded = DeletionGate(pool.acquire, metrics, replaced).unless_open(run_once)
        await guarded()
        assert rounds == []
        assert metrics.registry.get_sample_value("restore_open") == 1
        async with pool.acquire() as connection:
            restore = await open_restore(connection)
            assert abs(restore.restored_point - restored.point) < timedelta(milliseconds=1)
            await mark_reconciled(connection, restore.id)
            assert await open_restore(connection) is None
        await guarded()
        assert rounds == [1]
        await redis.aclose()
        assert metrics.registry.get_sample_value("restore_open") == 0


@pytest.mark.long
async def test_an_instance_that_ran_on_begins_again_too(platform, restored, postgres, new_player, wait_until):
    await asyncio.to_thread(restored.take)
    running = platform.service()
    running.start()
    player, lost = new_player(at=running), uuid4()
    await player.buys(lost, order="o5")
    await wait_until(lambda: has(player, {lost}))

    restored_name = (await restored.restore()).rpartition("/")[2].partition("?")[0]
    name = platform.dsn.rpartition("/")[2].partition("?")[0]
    keeper = await asyncpg.connect(postgres.dsn("postgres"))
    await keeper.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await asyncio.sleep(1)  # it finds none meanwhile
    await keeper.execute(f'ALTER DATABASE "{restored_name}" RENAME TO "{name}"')
    await keeper.close()

    connection = await asyncpg.connect(platform.dsn)

    async def is_there():
        return await connection.fetchval("SELECT 1 FROM library.ownership_grants WHERE source_id = 'o5'")

    await wait_until(is_there)
    await connection.close()
    running.stop()


async def has(player, products):
    return await player.products() == {str(product) for product in products}


async def log_has_one_rewind(service):
    return service.log.read_text().count("partitions begin an hour before") == 1


async def test_a_second_mark_takes_nothing_of_the_first_one_away(database):
    """An operator corrects the point, or states after a restore that the failover before it has lost nothing."""
    await asyncio.to_thread(GATEWAY.upgrade, database)
    here, there = ("payments", 0), ("payments", 1)
    now = datetime.now(UTC)
    early, late = now - timedelta(hours=3), now - timedelta(hours=1)
    connection = await asyncpg.connect(database)

    async def mark(point):
        await connection.execute("SELECT gateway.mark_restored($1, 'a copy', 'a test', 'a test')", point)

    assert await to_rewind(connection, [here, there]) == {}
    await mark(early)
    await mark(late)
    assert await to_rewind(connection, [here, there]) == {here: early, there: early}
    await rewound(connection, await newest_restore(connection), [here])
    assert await to_rewind(connection, [here, there]) == {there: early}
    await mark(now)  # no partition is rewound twice: this one has the events that the earlier marks are about
    assert await to_rewind(connection, [here, there]) == {here: now, there: early}
    await rewound(connection, await newest_restore(connection), [here, there])
    assert await to_rewind(connection, [here, there]) == {}
    await connection.close()


@pytest.mark.parametrize("instances", [1, 2])
async def test_a_later_check_does_not_affect_an_earlier_one(platform, instances):
    """An instance checks in a job and before each deletion, and so do other instances."""
    host, _, port = platform.valkey.address.partition(":")
    redis = Redis(host=host, port=int(port), db=instances)  # other tests use number 0
    async with asyncpg.create_pool(platform.dsn, min_size=1, max_size=2) as pool:
        interrupted = []

        @asynccontextmanager
        async def acquire():
            async with pool.acquire() as connection:
                yield connection
            if not interrupted:  # between the read and the write of the first one
                interrupted.append(1)
                await pool.execute("CREATE TABLE IF NOT EXISTS public.looked AS SELECT 1; SELECT pg_switch_wal()")
                await looks[-1].look()

        looks = [ReplacedDatabase(acquire, redis, Metrics()) for _ in range(instances)]
        await looks[0].look()
        assert [one.reason for one in looks] == [None] * instances
        assert interrupted
        await pool.execute("DROP TABLE public.looked")
    await redis.aclose()
