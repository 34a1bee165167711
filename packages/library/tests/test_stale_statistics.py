"""Changes of thousands of a user's items read each item a few times, whatever the statistics are of.

The statistics are those of 30 users with an item each: by them a user has one row.
"""

from uuid import UUID

import asyncpg
import pytest
from gameshelf.devstack.statements import PLANS, work
from gameshelf.library import MIGRATIONS
from gameshelf.library.store import items

USER = UUID(int=1)
HELD, CHANGED = 12_000, 6_000
FEW = """
ALTER TABLE library.user_library_items SET (autovacuum_enabled = false);
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
GIVEN = {
    "acquisition_types": ["purchase"] * CHANGED,
    "hidden": [True] * CHANGED,
    "statuses": ["not_installed"] * CHANGED,
    "times": ["2026-05-01T12:00:00Z"] * CHANGED,
    "totals": [60] * CHANGED,
}


@pytest.fixture(scope="module")
def migrated(create_database):
    dsn = create_database()
    MIGRATIONS.upgrade(dsn)
    return dsn


@pytest.fixture(scope="module")
async def stale(migrated):
    """A connection to a library of one user's 12,000 items, last analyzed when 30 users had one each."""
    connection = await asyncpg.connect(migrated)
    await connection.execute(FEW)
    await connection.execute(MANY, USER, HELD)
    yield connection
    await connection.close()


@pytest.mark.parametrize("plans", PLANS)
@pytest.mark.parametrize("name", ["_SET_OWNERSHIP", "_SET_PLAYTIME", "_SET_STATE"])
async def test_a_bulk_change_reads_each_item_a_few_times(stale, name, plans):
    statement = getattr(items, name)
    ids, products = [await stale.fetchval(IDS, kind, CHANGED) for kind in ("item", "product")]
    given = {"user_id": USER, "ids": ids, "product_ids": products, **GIVEN}
    arguments = [given.get(parameter, [None] * CHANGED) for parameter in statement._names]
    done = await work(stale, statement, arguments, plans)
    assert done.rows < 20 * HELD, done.plan
    # An item that is changed touches a few pages of its table and of each index.
    assert done.pages < 60 * CHANGED, done.plan
