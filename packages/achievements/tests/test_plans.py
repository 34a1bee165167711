"""Jobs about all players read what they need by steps in an index, however many rows there are."""

import json

import pytest
from gameshelf.achievements._store import counters, target_reviews

FILL = """
INSERT INTO achievements.user_achievements (user_id, achievement_meta_id, product_id, current_progress)
SELECT gen_random_uuid(), md5((n % 20)::text)::uuid, md5((n % 5)::text)::uuid, 1 FROM generate_series(1, 20000) n;
INSERT INTO achievements.owned_products (user_id, product_id)
SELECT gen_random_uuid(), md5((n % 5)::text)::uuid FROM generate_series(1, 20000) n;
SET LOCAL plan_cache_mode = force_generic_plan;
"""


async def nodes(connection, statement):
    """The nodes of a statement's plan for any values."""
    await connection.execute(f"PREPARE explained AS {statement.sql}")
    values = ", ".join("NULL" for _ in statement._names)
    [[found]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE explained ({values})")
    await connection.execute("DEALLOCATE explained")
    rest = [json.loads(found)[0]["Plan"]]
    while rest:
        node = rest.pop()
        yield node
        rest += node.get("Plans", ())


@pytest.mark.parametrize("is_analyzed", [False, True])
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (target_reviews._BEGUN, "ix_user_achievements_locked"),
        (counters._NEXT, "ix_owned_products_product"),
    ],
)
async def test_a_job_looks_for_one_row_by_a_step_in_an_index(players, statement, index, is_analyzed):
    await players.connection.execute(FILL)
    if is_analyzed:
        await players.connection.execute("ANALYZE achievements.user_achievements, achievements.owned_products")
    found = {
        node.get("Index Name"): node["Node Type"]
        for node in [one async for one in nodes(players.connection, statement)]
    }
    # A bitmap would be made of all rows before the first one is read.
    assert found.get(index) in ("Index Scan", "Index Only Scan"), found
