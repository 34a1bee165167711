"""The relay's statements do work in proportion to the records, whatever the outbox had when they were planned."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.devstack.statements import PLANS, Measured
from gameshelf.gateway.runtime.outbox import relayed
from gameshelf.gateway.wiring import MIGRATIONS

pytestmark = pytest.mark.real

WAITING, SENT = 2_000, 1_000
FILL = """
INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value)
SELECT 0, md5('user' || n)::uuid, 'topic', 'key', 'value' FROM generate_series(1, $1) n RETURNING user_id, id
"""


@pytest.fixture
async def emptied(create_database):
    """A connection to a database whose outbox has pages, but no rows, and had none when its statistics were taken."""
    dsn = await asyncio.to_thread(create_database, *MIGRATIONS)
    connection = await asyncpg.connect(dsn)
    await connection.execute("ALTER TABLE gateway.outbox SET (autovacuum_enabled = false)")
    await connection.fetch(FILL, WAITING)
    await connection.execute("DELETE FROM gateway.outbox")
    await connection.execute("VACUUM ANALYZE gateway.outbox")
    yield connection
    await connection.close()


@on_one_server("sent records are removed by a statement of its own")
@pytest.mark.parametrize("plans", PLANS)
async def test_sent_records_are_not_compared_with_all_that_wait(emptied, plans):
    measured = await Measured.prepare(emptied, relayed._REMOVE, plans)
    rows = await emptied.fetch(FILL, WAITING)
    given = {"user_ids": [row["user_id"] for row in rows[:SENT]], "ids": [row["id"] for row in rows[:SENT]]}
    done = await measured.run([given[name] for name in measured.statement._names])
    assert done.rows < 5 * WAITING, done.plan


async def test_only_records_of_the_given_users_and_ids_are_removed(emptied):
    rows = await emptied.fetch(FILL, 4)
    # Citus returns the rows of each shard as they come.
    keys = sorted((relayed.RecordKey(row["user_id"], row["id"]) for row in rows), key=lambda key: key.id)
    strange = [keys[0]._replace(user_id=keys[1].user_id), keys[2]._replace(id=0), keys[3]._replace(user_id=UUID(int=1))]
    await relayed.remove_records(emptied, [*strange, keys[3]])
    left = await emptied.fetch("SELECT user_id, id FROM gateway.outbox ORDER BY id")
    assert [relayed.RecordKey(*row) for row in left] == keys[:3]
