"""Every statement of a request's path finds a user's rows by the user's key, and products by theirs, whatever there is.

The plans are those without values ("generic"), which the server comes to use for statements that are prepared once.
Some packages have plans of their own besides, on data with the shape of theirs.
"""

import json
import re

import pytest
from gameshelf.devstack.statements import ACROSS, Class, Reason, classify
from gameshelf.devstack.statements.rows import PARTNERS

# Enough that a whole table is never the cheapest way.
USERS, ROWS, PRODUCTS = 5_000, 4, 2_500
OF_NOBODY = 10_000
# Statements of support and jobs read in the order of an index; the packages' own tests assert that.
ABOUT_ALL = {name for name, reason in ACROSS.items() if reason is not Reason.FAMILY}
# Tables that stay small: one row per shard, per job, or for the whole service.
SMALL = {
    "library.catalog_version",
    "library.item_id_rewrite",
    "playtime.playtime_watches",
    "achievements.recounts",
    "savegames.savegame_scans",
    "settings.first_revisions",
    "gateway.restores",
}
BY_ID = "no other entry has its id, and the index of ids is the smaller one"
# Statements that are read in another way.
OTHERWISE = {
    "gateway.runtime.support.audit._COUNT_REFUSAL": BY_ID,
    "gateway.runtime.support.audit._FIND": BY_ID,
    "achievements._store.counters._FOLD": "a job takes what there is of the deltas",
    "wishlist._store.fanouts._ADVANCE": "a job moves some of the sales, and there are few",
    "wishlist._store.fanouts._FINISH": "a job ends some of the sales, and there are few",
    "savegames._queries.accounts._CONTENTS": "the keys of a user's objects begin with the user",
}
OF_USER = re.compile(rf"\b({'|'.join(PARTNERS)}) = ")


@pytest.fixture(scope="module")
async def full(everything):
    """A database of many users with rows in every table."""
    connection, tables = everything
    await connection.execute("SET session_replication_role = replica")
    await tables.fill_of_nobody(connection, OF_NOBODY, OF_NOBODY)
    await tables.fill_of_users(connection, range(USERS), ROWS, PRODUCTS)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    # Tables of this size look cheap to read whole, if only several workers share it; real ones don't.
    await connection.execute("SET max_parallel_workers_per_gather = 0")
    await connection.execute("VACUUM ANALYZE")
    return connection


async def plan(connection, statement):
    """The nodes of a statement's plan."""
    nulls = ", ".join("NULL" for _ in statement._names)
    await connection.execute(f"PREPARE explained AS {statement.sql}")
    [[found]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE explained{f'({nulls})' if nulls else ''}")
    await connection.execute("DEALLOCATE explained")
    nodes, rest = [], [json.loads(found)[0]["Plan"]]
    while rest:
        node = rest.pop()
        nodes.append(node)
        rest += node.get("Plans", ())
    return nodes


@pytest.mark.long
async def test_every_statement_of_a_request_finds_its_rows_by_key(full, statements, keys):
    tables = {
        row["i"]: row["t"]
        for row in await full.fetch("SELECT indexrelid::regclass::text i, indrelid::regclass::text t FROM pg_index")
    }
    indexes = {index.rpartition(".")[2]: table for index, table in tables.items()}
    found = []
    for name, statement in statements.items():
        short = name.partition(" ")[0]
        is_jobs = name.startswith("gateway.") and classify(statement.sql, keys).kind is Class.REFERENCE
        if short in ABOUT_ALL or short in OTHERWISE or is_jobs:
            continue
        for node in await plan(full, statement):
            kind, condition = node["Node Type"], node.get("Index Cond", "")
            if kind == "Seq Scan":
                table = node["Relation Name"]
                if table not in {small.rpartition(".")[2] for small in SMALL}:
                    found.append(f"{name} reads all of {table}")
            elif kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"):
                table = indexes[node["Index Name"]]
                if keys.get(table) and not OF_USER.search(condition):
                    found.append(f"{name} goes through {node['Index Name']} by {condition or 'nothing'}")
    assert found == []


@pytest.mark.long
async def test_support_finds_things_in_a_part_of_an_index(full, statements):
    """``libctl find`` looks over all users: the rows of strangers must not change what it costs."""
    finding = {name: statement for name, statement in statements.items() if ".finding._" in name}
    assert len(finding) == 10
    found = []
    for name, statement in finding.items():
        for node in await plan(full, statement):
            kind, condition = node["Node Type"], node.get("Index Cond", "")
            if kind == "Seq Scan" or (kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") and not condition):
                found.append(f"{name}: {kind} of {node.get('Relation Name') or node['Index Name']}")
    assert found == []
