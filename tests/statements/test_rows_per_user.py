"""The planner expects a user to have many rows of a table, whatever the statistics are of."""

import asyncpg
from gameshelf.kernel.distribution import USER_COLUMNS
from gameshelf.kernel.schema_changes import ROWS_PER_USER

# Composite keys whose first column is not the user, and why each value has few or many rows.
OTHERS = {
    ("wishlist.currency_prices", "product_id"): "a product has a price in each of a few currencies",
    ("wishlist.price_fanouts", "product_id"): "a product has a fan-out in each of a few currencies",
    ("savegames.savegame_game_versions", "product_id"): "a product has a few versions of its game",
    ("gateway.rewinds", "restore_id"): "a row for each partition, after a restore",
}
FIRST_COLUMNS = """
SELECT n.nspname || '.' || c.relname, a.attname, coalesce(a.attoptions, '{}')
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE i.indisunique AND i.indnkeyatts > 1 AND n.nspname || '.' || c.relname = ANY($1)
"""


async def test_every_table_with_many_rows_of_a_user_says_so(migrated, keys):
    connection = await asyncpg.connect(migrated)
    found = {(table, column): options for table, column, options in await connection.fetch(FIRST_COLUMNS, list(keys))}
    await connection.close()
    expected = [f"n_distinct={-1 / ROWS_PER_USER}"]
    silent = {one for one, options in found.items() if options != expected}
    assert silent == set(OTHERS), "a migration calls set_rows_per_user for such a table"
    assert {column for _, column in found.keys() - silent} == set(USER_COLUMNS)
