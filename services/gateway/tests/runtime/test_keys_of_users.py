"""Keys that begin with the user, in the two steps that they took: migrations 0013 and 0016."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.kafka.inbox import NewLetter, keep_dead_letters
from gameshelf.gateway.runtime.tables import METADATA, MIGRATIONS, NOBODY, NOBODY_HASH
from gameshelf.kernel.migrations import MigrationBlocked

pytestmark = pytest.mark.long
USER, HASH = uuid4(), b"a hash"
OUTBOX = "INSERT INTO gateway.outbox (shard, user_id, topic, value) SELECT 0, $1, 't', '' FROM generate_series(1, $2)"
REFUSED = (
    "INSERT INTO gateway.refused_records (id, shard, user_id, topic, value, created_at, reason) "
    "SELECT nextval('serial'), 0, $1, 't', '', now(), '' FROM generate_series(1, $2)"
)
LETTERS = (
    "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail) "
    "SELECT gen_random_uuid(), $1, 't', '', '' FROM generate_series(1, $2)"
)
AUDIT = (
    "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target) "
    "SELECT 'read', '', '', $1, '{}' FROM generate_series(1, $2)"
)
TABLES = {
    "outbox": (OUTBOX, "user_id", USER, NOBODY),
    "refused_records": (REFUSED, "user_id", USER, NOBODY),
    "dead_letters": (LETTERS, "user_id", USER, NOBODY),
    "audit": (AUDIT, "user_hash", HASH, NOBODY_HASH),
}
KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid
WHERE i.indisprimary AND a.attnum = ANY(i.indkey) AND c.relnamespace = 'gateway'::regnamespace GROUP BY c.relname
"""


@pytest.fixture
async def connection(database):
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0012")
    opened = await asyncpg.connect(database)
    await opened.execute("CREATE SEQUENCE public.serial")
    yield opened
    await opened.close()


async def counts(connection):
    """The number of rows of each user in each table."""
    return {
        table: {row[column]: row["n"] for row in await connection.fetch(query)}
        for table, (_, column, _, _) in TABLES.items()
        for query in [f"SELECT {column}, count(*) AS n FROM gateway.{table} GROUP BY 1"]
    }


async def test_rows_about_no_user_have_a_constant_as_their_user(database, connection):
    for add, _, someone, _ in TABLES.values():
        await connection.execute(add, None, 12_000)  # more than are filled at a time
        await connection.execute(add, someone, 3)
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    assert await counts(connection) == {
        table: {nobody: 12_000, someone: 3} for table, (_, _, someone, nobody) in TABLES.items()
    }


async def test_between_the_steps_null_is_replaced_as_it_is_written(database, connection):
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0015")
    for add, _, someone, _ in TABLES.values():
        await connection.execute(add, None, 2)
        await connection.execute(add, someone, 1)
    assert await counts(connection) == {
        table: {nobody: 2, someone: 1} for table, (_, _, someone, nobody) in TABLES.items()
    }


async def test_a_row_that_somebody_holds_delays_the_migration_alone(database, connection):
    await connection.execute(OUTBOX, None, 5)
    holder = await asyncpg.connect(database)
    async with holder.transaction():
        await holder.execute("SELECT FROM gateway.outbox WHERE id = 3 FOR UPDATE")
        with pytest.raises(MigrationBlocked):
            await asyncio.to_thread(MIGRATIONS.upgrade, database, "head", 1.0)
        assert (await counts(connection))["outbox"] == {NOBODY: 4, None: 1}
        await connection.execute(OUTBOX, None, 1)
    await holder.close()
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    assert (await counts(connection))["outbox"] == {NOBODY: 6}


async def test_a_migration_that_was_cut_off_can_be_repeated(database, connection):
    await connection.execute(AUDIT, None, 10)
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0013")
    # As if its last transaction had been rolled back: the earlier ones stay.
    await connection.execute("UPDATE gateway.alembic_version SET version_num = '0012'")
    await connection.execute("CREATE INDEX ix_outbox_user ON gateway.outbox (user_id)")
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    await asyncio.to_thread(MIGRATIONS.check, database)


async def test_after_both_steps_the_keys_are_those_of_the_models(database, connection):
    models = {table.name: [column.name for column in table.primary_key.columns] for table in METADATA.tables.values()}

    async def keys():
        return {name: key for name, key in await connection.fetch(KEYS) if name != "alembic_version"}

    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0015")
    assert await keys() == {**models, "outbox": ["id"], "dead_letters": ["id"]}
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0016")
    assert await keys() == models
    # As if it had been cut off before its end was noted.
    await connection.execute("UPDATE gateway.alembic_version SET version_num = '0015'")
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    assert await keys() == models
    for add, _, _, _ in TABLES.values():
        with pytest.raises(asyncpg.NotNullViolationError):
            await connection.execute(add, None, 1)
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'nobodys_%'") == 0


@pytest.mark.parametrize("user_id", [None, USER], ids=["nobody", "a user"])
async def test_a_dead_letter_is_stored_once_before_and_after(database, connection, user_id):
    """As each release stores it: that of the first step and this one run side by side."""
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0015")
    letters = [NewLetter(f"topic/0/{number}", "detail", b"") for number in range(3)]

    async def keep(some):
        kept = await keep_dead_letters(connection, some, user_id=user_id, topic="t", reason="R", key=None)
        return len(kept)

    assert await keep(letters[:2]) == 2
    assert await keep(letters[:2]) == 0
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    assert await keep(letters) == 1


async def test_an_entry_is_undone_once_per_user(database, connection):
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    undo = (
        "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target, undo_of) "
        "VALUES ('change', 'audit undo', '', $1, '{}', 1)"
    )
    await connection.execute(undo, HASH)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await connection.execute(undo, HASH)
    assert caught.value.constraint_name == "uq_audit_undo"
