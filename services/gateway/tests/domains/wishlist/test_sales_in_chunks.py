"""The job of sales, in this process: what it asks PostgreSQL for, however many wishers there are."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.domains.wishlist.jobs.sales import CHUNK, Sales
from gameshelf.gateway.domains.wishlist.published import NOTIFICATIONS
from gameshelf.gateway.runtime.outbox import store
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.gateway.wiring import EVENT_RULES, MIGRATIONS
from gameshelf.wishlist import Price, Prices

CHUNKS = 5
WISHERS = CHUNKS * CHUNK
ADD_WISHERS = """
WITH users AS (
    INSERT INTO gateway.user_streams (user_id) SELECT gen_random_uuid() FROM generate_series(1, $2::int)
    RETURNING user_id
)
INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at)
SELECT user_id, gen_random_uuid(), $1, now() FROM users
"""
FILL = """
INSERT INTO gateway.outbox (shard, user_id, topic, value)
SELECT 16, gen_random_uuid(), $1, '' FROM generate_series(1, 20000)
"""
NOTIFIED = "SELECT count(DISTINCT user_id), count(*) FROM wishlist.price_notifications WHERE product_id = $1"


@pytest.fixture(scope="module")
def dsn(create_database):
    return create_database(*MIGRATIONS)


@pytest.fixture
async def connection(dsn):
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.execute("TRUNCATE gateway.outbox")
    await connection.close()


@pytest.fixture
def statements():
    return []


@pytest.fixture
async def job(dsn, statements):
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:

        @asynccontextmanager
        async def acquire():
            async with pool.acquire() as connection:
                with connection.query_logger(lambda query: statements.append(query.query)):
                    yield connection

        streams = UserStreams(b"k" * 32)
        yield Sales(acquire, Transactions(acquire, streams, {}, EVENT_RULES, "events", lambda commit: None))


async def start_sale(connection):
    """Starts a sale of a product that five chunks of users wish for; the product."""
    product = uuid4()
    await connection.execute(ADD_WISHERS, product, WISHERS)
    async with connection.transaction():
        await Prices(connection).apply([Price(product, 500, "RUB", 50, "sale", None, datetime.now(UTC))])
    return product


def counts(statements):
    return statements.count(store._WAITING.sql)


async def test_what_waits_is_not_counted_before_each_chunk(job, connection, statements):
    """A count walks over the entries of all records that were sent since the last VACUUM."""
    product = await start_sale(connection)
    await job.run_once()
    assert tuple(await connection.fetchrow(NOTIFIED, product)) == (WISHERS, WISHERS)
    assert counts(statements) == 1


async def test_a_sale_waits_while_many_notifications_wait(job, connection, statements):
    product = await start_sale(connection)
    await connection.execute(FILL, NOTIFICATIONS)
    running = asyncio.create_task(job.run_once())
    while counts(statements) < 2:
        await asyncio.sleep(0.01)
        assert not running.done()
    assert await connection.fetchval(NOTIFIED, product) == 0
    await connection.execute("DELETE FROM gateway.outbox")
    await running
    assert tuple(await connection.fetchrow(NOTIFIED, product)) == (WISHERS, WISHERS)
