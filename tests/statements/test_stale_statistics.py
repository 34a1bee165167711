"""No statement about thousands of a user's rows reads them once for each of them, whatever the statistics are of.

Twice: by statistics of 30 users with a row each, and without any, by a plan that was made when the tables were empty.
"""

import asyncio
from datetime import timedelta
from hashlib import sha256
from itertools import product as combinations

import asyncpg
import pytest
from gameshelf.devstack.statements import PLANS, Measured, Tables
from gameshelf.devstack.statements.rows import TEXTS, product, row_id, user
from gameshelf.gateway.wiring import MIGRATIONS

ROWS = 1_500
# A linear statement's nodes handle each row a few times; one that is not linear handles ROWS * ROWS / 2.
MOST = 100 * ROWS
NEVER, FEW = "never analyzed", "analyzed with few rows"
# The first texts and ids with which a statement can be run are taken.
TEXT = (lambda place: f"text{place % TEXTS}", lambda place: "{}", lambda place: "RUB", lambda place: f"new{place}")
FIRST = (0, 100_000)
SMALL = "reads a small table whole for each of the pairs that it is asked about, and a large one by its key"
FEW_ROWS = "what it joins is few: a user's open uploads, conflicts and slots, live sessions or shards"
NOT_LINEAR = {
    "library._queries.access._ACCESS": SMALL,
    "library._queries.access._FIRST_ACCESS": SMALL,
    "library._queries.access._SHARES": SMALL,
    "library._queries.access._SHARING_OWNERS": SMALL,
    "playtime._queries.copies._PLAYED": FEW_ROWS,
    "playtime._store.liveness._CHECKPOINT_FREE": FEW_ROWS,
    "playtime._store.liveness._REVIVE": FEW_ROWS,
    "savegames._queries.overview._OVERVIEW": FEW_ROWS,
    "savegames._queries.saves._CONFLICTS": FEW_ROWS,
    "savegames._queries.saves._COUNT_CONFLICTS": FEW_ROWS,
    "savegames._store.contents._REMOVE_DELETED": FEW_ROWS,
    "savegames._store.scans._HELD": FEW_ROWS,
    "savegames._store.upload_files._NOTE": "it is given the 64 files of a batch, and finds them among thousands",
    "savegames._store.uploads._LIST": FEW_ROWS,
    "savegames._store.usage._OF_PRODUCTS": FEW_ROWS,
    "savegames._store.usage._RESERVED": FEW_ROWS,
    "savegames._store.usage._USES": FEW_ROWS,
    "gateway.runtime.outbox.relayed._PENDING": FEW_ROWS,
    "gateway.runtime.restores._TO_REWIND": "a partition of each restore; there are few restores",
}
NOT_RUN = {
    "achievements._store.counters._FOLD": "of rows that are made by number, some give an achievement two products",
    "gateway.runtime.support.audit._ADD": "no text fits all of its columns",
    "gateway.runtime.unit_of_work.head._CLOSE": "it fails unless the user's row has the version that it names",
    "gateway.runtime.unit_of_work.head._KEEP_ANSWER": "it fails unless the user's row has the version that it names",
}


@pytest.fixture(params=[NEVER, FEW])
async def stale(request, create_database, keys):
    dsn = await asyncio.to_thread(create_database, *MIGRATIONS)
    connection = await asyncpg.connect(dsn)
    tables = await Tables.read(connection, keys)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET max_parallel_workers_per_gather = 0")
    await connection.execute("SET statement_timeout = '5s'")
    for table in keys:
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    if request.param == FEW:
        await tables.fill_of_nobody(connection, 30, 30)
        await tables.fill_a_row_each(connection, range(100_000, 100_030))
        await connection.execute("ANALYZE")
    yield request.param, connection, tables
    await connection.close()


def uuid_of(name, place):
    if "product" in name:
        return product(place)
    if name.startswith(("user", "subject", "holder", "player", "owner", "new_owner")):
        return user(0)
    if name.startswith(("member", "partner", "new_shared_with")):
        return user(1 + place % 15)
    return row_id(place)


def value(name, kind, place, now, text):
    """A value like that of row ``place``; of a list all."""
    if kind.endswith("[]"):
        return [value(name, kind[:-2], place + each, now, text) for each in range(ROWS)]
    if kind == "uuid":
        return uuid_of(name, place)
    if kind == "timestamptz":
        return now - timedelta(minutes=place % 100_000 * 30)
    if kind in ("int2", "int4", "int8", "numeric", "float8"):
        numbers = {"limit": ROWS, "offset": 0, "after_id": 0, "after": 0, "sequences": 1_000_000 + place}
        return numbers.get(name, 1 + place % 3)
    others = {"bool": place % 2 == 0, "bytea": sha256(str(place).encode()).digest(), "date": now.date()}
    return "{}" if kind in ("json", "jsonb") else text(place) if kind in ("text", "varchar") else others[kind]


async def done_by(measured, kinds, now):
    """Runs a statement with the first values that it takes; returns its effect, or why it takes none."""
    names, fixed = measured.statement._names, measured.statement._constants
    for text, first in combinations(TEXT, FIRST):
        given = (
            fixed[name] if name in fixed else value(name, kind, 1 + first, now, text)
            for name, kind in zip(names, kinds, strict=True)
        )
        try:
            return await measured.run(list(given))
        except asyncpg.QueryCanceledError as error:
            return error
        except asyncpg.PostgresError as error:
            refused = error
    return refused


@pytest.mark.long(minutes=2)
async def test_statements_are_linear_in_a_users_rows(stale, statements):
    state, connection, tables = stale
    now = await connection.fetchval("SELECT date_trunc('second', now())")

    # What may read more, or can't be run, is left alone: it would run until its time is over, and prove nothing.
    proven = {name: one for name, one in statements.items() if name.partition(" ")[0] not in NOT_LINEAR | NOT_RUN}

    async def prepare(plans):
        for name, statement in proven.items():
            kinds = [kind.name for kind in (await connection.prepare(statement.sql)).get_parameters()]
            yield name, kinds, await Measured.prepare(connection, statement, plans)

    early = [one async for one in prepare("force_generic_plan")] if state == NEVER else []
    await tables.fill_of_nobody(connection, ROWS, ROWS)
    await tables.fill_of_users(connection, range(1), ROWS, ROWS)
    late = [one for plans in PLANS async for one in prepare(plans)] if state == FEW else []
    found, failed = {}, {}
    for name, kinds, measured in early + late:
        done = await done_by(measured, kinds, now)
        if isinstance(done, Exception):
            failed[name] = str(done)
        elif done.rows > MOST:
            found[name] = f"{done.rows} rows, {done.pages} pages\n{done.plan}"
    assert found == {}
    assert failed == {}
