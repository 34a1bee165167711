"""Databases of a cluster with Citus that is started already: distributed ones, and copies of them."""

import os

import asyncpg
import pytest
from gameshelf.devstack.servers import Citus
from gameshelf.devstack.servers.citus import VARIABLE

ADD = "INSERT INTO gateway.user_streams (user_id) SELECT gen_random_uuid() FROM generate_series(1, 100)"
ROWS = "SELECT count(*) FROM gateway.user_streams"
MACHINES = """
SELECT count(DISTINCT nodename || nodeport::text) FROM citus_shards WHERE table_name = 'gateway.user_streams'::regclass
"""


@pytest.fixture
def cluster(tmp_path):
    if VARIABLE not in os.environ:
        pytest.skip(f"NOT RUN: {VARIABLE} names no coordinator of Citus")
    made = Citus(tmp_path, os.environ[VARIABLE])
    made.start()
    yield made
    made.stop()


async def test_copies_of_a_distributed_database_have_rows_of_their_own(cluster):
    template = cluster.prepared()
    assert cluster.prepared() == template
    counts = []
    for number in range(2):
        name = f"{template}copy{number}"
        cluster.create_database(name, template)
        connection = await asyncpg.connect(cluster.dsn(name))
        assert await connection.fetchval(MACHINES) > 1
        counts.append(await connection.fetchval(ROWS))
        await connection.execute(ADD)
        counts.append(await connection.fetchval(ROWS))
        await connection.close()
    assert counts == [0, 100, 0, 100]
    cluster.create_database(f"{template}again", f"{template}copy0")
    for name in ("again", "copy0"):  # also the one that was copied can be used again
        connection = await asyncpg.connect(cluster.dsn(template + name))
        assert await connection.fetchval(ROWS) == 100
        await connection.close()
    cluster.stop()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(cluster.dsn(template))
