"""Changes of thousands of a user's items read each item a few times, whatever the planner believes.

Statistics of 30 users with an item each say that a user has one row; so does the guess about a table without any.
"""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from gameshelf.devstack.statements import PLANS, Measured
from gameshelf.library import MIGRATIONS
from gameshelf.library._store import items

pytestmark = pytest.mark.real

USER = UUID(int=1)
HELD, CHANGED = 12_000, 6_000
FEW = """
INSERT INTO library.user_library_items (user_id, id, product_id, added_at, acquisition_type)
SELECT md5('user' || n)::uuid, md5('id' || n)::uuid, md5('product' || n)::uuid, now(), 'purchase'
FROM generate_series(1, 30) n;
ANALYZE library.user_library_items;
"""
MANY = """
INSERT INTO library.user_library_items (user_id, id, product_id, added_at, acquisition_type)
SELECT $1, md5('item' || n)::uuid, md5('product' || n)::uuid, now(), 'purchase' FROM generate_series(1, $2) n
"""
IDS = "SELECT array_agg(md5($1 || n)::uuid) FROM generate_series(1, $2) n"
NAMES = ("_SET_OWNERSHIP", "_SET_PLAYTIME", "_SET_STATE")
GIVEN = {
    "acquisition_types": ["purchase"] * CHANGED,
    "hidden": [True] * CHANGED,
    "statuses": ["not_installed"] * CHANGED,
    "times": ["2026-05-01T12:00:00Z"] * CHANGED,
    "totals": [60] * CHANGED,
}


@pytest.fixture(params=["never analyzed", "analyzed with few rows"])
async def stale(request, create_database):
    """A connection that made its plans when there were few items; now one user has 12,000."""
    dsn = await asyncio.to_thread(create_database, MIGRATIONS)
    connection = await asyncpg.connect(dsn)
    await connection.execute("ALTER TABLE library.user_library_items SET (autovacuum_enabled = false)")
    if request.param != "never analyzed":
        await connection.execute(FEW)
    yield connection
    await connection.close()


@pytest.mark.parametrize("plans", PLANS)
async def test_a_bulk_change_reads_each_item_a_few_times(stale, plans):
    ids, products = [await stale.fetchval(IDS, kind, CHANGED) for kind in ("item", "product")]
    given = {"user_id": USER, "ids": ids, "product_ids": products, **GIVEN}
    prepared = [await Measured.prepare(stale, getattr(items, name), plans) for name in NAMES]
    await stale.execute(MANY, USER, HELD)
    for measured in prepared:
        arguments = [given.get(parameter, [None] * CHANGED) for parameter in measured.statement._names]
        done = await measured.run(arguments)
        assert done.rows < 20 * HELD, done.plan
        # An item that is changed touches a few pages of its table and of each index.
        assert done.pages < 60 * CHANGED, done.plan
