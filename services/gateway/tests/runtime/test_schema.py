"""The gateway's own schema, and the error when a schema is not the one that the service needs."""

import asyncio

import asyncpg
import pytest
from gameshelf.gateway.runtime.migrate import SchemaOutdated, require_current, upgrade
from gameshelf.gateway.runtime.tables import MIGRATIONS as OWN
from gameshelf.gateway.wiring import MIGRATIONS


def test_the_models_are_what_the_migrations_make(database):
    upgrade(database, MIGRATIONS)
    for package in MIGRATIONS:
        package.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    OWN.upgrade(database)
    OWN.downgrade(database, "base")
    OWN.upgrade(database)
    OWN.check(database)


@pytest.fixture
async def connection(database):
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


async def test_an_old_schema_is_refused_and_a_newer_one_is_not(connection):
    async def has(revision):
        await connection.execute("CREATE SCHEMA IF NOT EXISTS gateway")
        await connection.execute("DROP TABLE IF EXISTS gateway.alembic_version")
        if revision:
            await connection.execute("CREATE TABLE gateway.alembic_version (version_num text)")
            await connection.execute("INSERT INTO gateway.alembic_version VALUES ($1)", revision)

    for revision in (OWN.head(), "9999"):  # the new version migrates while this one still serves
        await has(revision)
        await require_current(connection, [OWN])
    await has(None)
    with pytest.raises(SchemaOutdated, match=r"gateway is at revision none.* -m gameshelf\.gateway migrate"):
        await require_current(connection, [OWN])


async def test_every_table_of_users_has_the_user_first_in_its_key(database, connection):
    """So that it can be distributed by the user."""
    await asyncio.to_thread(OWN.upgrade, database)
    rows = await connection.fetch(
        "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE c.relnamespace = 'gateway'::regnamespace AND i.indisprimary AND c.relname <> 'alembic_version'"
    )
    first = {row["relname"]: row["attname"] for row in rows}
    nobodys = {"restores": "id", "rewinds": "restore_id", "database_identity": "singleton", "backups": "kind"}
    nobodys |= {"backup_markers": "id", "backup_drills": "kind"}
    hashes = {"audit": "user_hash", "erased_users": "user_hash"}
    users = {name: column for name, column in first.items() if name not in nobodys | hashes}
    assert {name: first[name] for name in nobodys | hashes} == nobodys | hashes
    assert set(users.values()) == {"user_id", "subject_id"}


async def test_an_update_of_a_users_row_adds_nothing_to_the_index(database, connection):
    """Pages have room for it from the first update on, and the changed columns are in no index."""
    await asyncio.to_thread(OWN.upgrade, database)
    await connection.execute(
        "INSERT INTO gateway.user_streams (user_id) SELECT md5(n::text)::uuid FROM generate_series(1, 5000) n"
    )
    await connection.execute(
        "UPDATE gateway.user_streams SET version = version + 1, last_sequence = 1, pruned_sequence = 1 "
        "WHERE user_id IN (SELECT md5(n::text)::uuid FROM generate_series(20, 5000, 20) n)"
    )
    await connection.execute("SELECT pg_stat_force_next_flush()")
    counts = await connection.fetchrow(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'gateway.user_streams'::regclass"
    )
    assert tuple(counts) == (250, 250)


async def test_tables_with_a_row_per_write_are_vacuumed_early(database, connection):
    await asyncio.to_thread(OWN.upgrade, database)
    found = await connection.fetch(
        "SELECT relname, reloptions FROM pg_class "
        "WHERE relnamespace = 'gateway'::regnamespace AND relkind = 'r' AND reloptions IS NOT NULL"
    )
    options = {row["relname"]: dict(option.split("=") for option in row["reloptions"]) for row in found}
    shares = {table: float(those["autovacuum_vacuum_scale_factor"]) for table, those in options.items()}
    early = dict.fromkeys(("user_streams", "feed", "inbox", "idempotency_keys"), 0.01)
    assert shares == {**early, "outbox": 0}
    assert options["outbox"]["vacuum_truncate"] == "false"
