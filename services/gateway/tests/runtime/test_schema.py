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
    """So that it can be distributed by the user; the queues and the audit are not, they are found by id."""
    await asyncio.to_thread(OWN.upgrade, database)
    rows = await connection.fetch(
        "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE c.relnamespace = 'gateway'::regnamespace AND i.indisprimary AND c.relname <> 'alembic_version'"
    )
    first = {row["relname"]: row["attname"] for row in rows}
    queues = {"outbox": "id", "dead_letters": "id", "erased_users": "user_hash", "audit": "id"}
    queues |= {"restores": "id", "rewinds": "restore_id", "refused_records": "id"}
    queues |= {"database_identity": "singleton", "backups": "kind"}
    users = {name: column for name, column in first.items() if name not in queues}
    assert {name: first[name] for name in queues} == queues
    assert set(users.values()) == {"user_id", "subject_id"}
