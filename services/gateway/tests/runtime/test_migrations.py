"""Migrations beside instances that serve: nobody queues behind one that waits for a lock."""

import asyncio
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import pairwise

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.migrate import MigrationRefused, upgrade
from gameshelf.gateway.runtime.tables import MIGRATIONS as GATEWAY
from gameshelf.gateway.wiring import MIGRATIONS
from gameshelf.kernel.migrations import MigrationBlocked
from gameshelf.playtime import MIGRATIONS as PLAYTIME

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
_WAITING = f"{_OTHERS} AND wait_event_type = 'Lock'"
_ENTRY = "INSERT INTO gateway.audit (kind, command, actor_roles, target) VALUES ('change', 'x', '', '{}')"
_FEED = "INSERT INTO gateway.feed (user_id, sequence, message) SELECT md5(n::text)::uuid, 1, '{}'"
_EXPECTED = """
SELECT n_distinct FROM pg_stats WHERE schemaname = 'gateway' AND tablename = $1 AND attname = 'user_id'
"""

_LOADED = """
import sys
import gameshelf.gateway.main

print(sorted({"alembic", "mako", "pygments", "sqlalchemy.ext.asyncio"} & {*sys.modules}))
"""


@asynccontextmanager
async def held(dsn, statement):
    """A transaction of somebody else that has run a statement and stays open for the length of the block."""
    connection = await asyncpg.connect(dsn)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(statement)
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def ask(dsn, statement, done=bool):
    """Repeats a query until its result is the expected one."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not done(answer := await connection.fetchval(statement)):
                await asyncio.sleep(0.02)
        return answer
    finally:
        await connection.close()


async def test_nobody_queues_behind_a_migration_that_waits_for_a_reader(database):
    await asyncio.to_thread(PLAYTIME.upgrade, database, "0001")
    async with held(database, "SELECT count(*) FROM playtime.playtime_sessions"):  # as a backup reads
        migration = asyncio.create_task(asyncio.to_thread(PLAYTIME.upgrade, database))
        await ask(database, _WAITING)
        # Queued behind the migration until it gives up for a while, not until the reader ends.
        await asyncio.wait_for(ask(database, "SELECT count(*) = 0 FROM playtime.playtime_sessions"), PATIENCE_SECONDS)
        assert not migration.done()
    await migration
    await asyncio.to_thread(PLAYTIME.check, database)


async def test_a_blocked_migration_gives_up_and_keeps_what_was_done(database):
    await asyncio.to_thread(PLAYTIME.upgrade, database, "0001")
    async with held(database, "SELECT count(*) FROM playtime.playtime_sessions") as connection:
        with pytest.raises(MigrationBlocked, match=r"schema playtime: another transaction holds a table"):
            await asyncio.to_thread(PLAYTIME.upgrade, database, "head", 1.5)
        assert await PLAYTIME.current(connection) == "0001"
    await asyncio.to_thread(PLAYTIME.upgrade, database)


async def test_a_revision_that_cannot_be_migrated_is_named(database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE SCHEMA playtime")
    await connection.execute("CREATE TABLE playtime.alembic_version (version_num varchar(32) PRIMARY KEY)")
    await connection.execute("INSERT INTO playtime.alembic_version VALUES ('9999')")
    await connection.close()
    with pytest.raises(MigrationRefused, match="9999"):
        await asyncio.to_thread(upgrade, database, [PLAYTIME])


@pytest.mark.parametrize("package", MIGRATIONS, ids=lambda package: package.schema)
def test_the_history_by_the_names_of_the_files_is_that_of_alembic(package):
    scripts = ScriptDirectory(str(files(package.package) / "migrations"))
    assert package.missing(None) == tuple(script.revision for script in scripts.walk_revisions())[::-1]


@pytest.mark.long
def test_a_service_starts_without_what_only_migrations_need():
    run = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    assert run.stdout == "[]\n"


async def test_an_index_of_a_table_in_use_keeps_nobody_from_writing(database):
    await asyncio.to_thread(GATEWAY.upgrade, database, "0004")
    async with held(database, _ENTRY):
        migration = asyncio.create_task(asyncio.to_thread(GATEWAY.upgrade, database, "0005"))
        await ask(database, _WAITING)
        connection = await asyncpg.connect(database)
        await connection.execute(_ENTRY, timeout=PATIENCE_SECONDS)
        await connection.close()
        assert not migration.done()
    await migration


async def test_an_index_that_was_left_unfinished_is_made_again(database):
    await asyncio.to_thread(GATEWAY.upgrade, database, "0004")
    connection = await asyncpg.connect(database)
    async with held(database, _ENTRY):
        await connection.execute("SET lock_timeout = 50")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await connection.execute("CREATE INDEX CONCURRENTLY ix_audit_kind ON gateway.audit (kind, id)")
    await asyncio.to_thread(GATEWAY.upgrade, database, "0005")
    assert await connection.fetchval(
        "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'gateway.audit'::regclass"
    )
    await connection.close()


async def test_a_second_migration_waits_without_delaying_the_first(database):
    """A statement that waits has a snapshot, and an index that is made concurrently waits for every older one."""
    await asyncio.to_thread(GATEWAY.upgrade, database, "0004")
    async with held(database, _ENTRY):
        first = asyncio.create_task(asyncio.to_thread(GATEWAY.upgrade, database))
        await ask(database, _WAITING)
        code = f"from gameshelf.gateway.runtime.tables import MIGRATIONS; MIGRATIONS.upgrade({database!r})"
        # A process of its own, as in a deployment: Alembic keeps its context in a global.
        second = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
        # The first one has two connections, and somebody holds the table: the fourth is the second one's.
        await ask(database, _OTHERS, lambda others: others > 3)
    await asyncio.wait_for(asyncio.gather(first, second.wait()), PATIENCE_SECONDS)
    assert second.returncode == 0


async def test_expected_rows_count_at_once_and_hold_up_nobody(database):
    await asyncio.to_thread(GATEWAY.upgrade, database, "0010")
    connection = await asyncpg.connect(database)
    await connection.execute(f"{_FEED} FROM generate_series(1, 30) n; ANALYZE gateway.feed")
    assert await connection.fetchval(_EXPECTED, "feed") == -1
    async with held(database, "LOCK gateway.feed IN SHARE UPDATE EXCLUSIVE MODE"):  # as VACUUM does
        migration = asyncio.create_task(asyncio.to_thread(GATEWAY.upgrade, database, "0011"))
        await ask(database, _WAITING)
        await connection.execute(f"{_FEED} FROM generate_series(31, 31) n", timeout=PATIENCE_SECONDS)
        assert not migration.done()
    await migration
    assert await connection.fetchval(_EXPECTED, "feed") == pytest.approx(-0.02)
    if connection.get_server_version().major >= 18:
        assert await connection.fetchval(_EXPECTED, "idempotency_keys") == pytest.approx(-0.02)
    # An empty table that was analyzed would be taken for one that stays empty.
    assert await connection.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'gateway.inbox'::regclass") == -1
    await asyncio.to_thread(GATEWAY.downgrade, database, "0010")
    assert await connection.fetchval(_EXPECTED, "feed") == -1
    assert await connection.fetchval(_EXPECTED, "idempotency_keys") is None
    await connection.close()


def _steps():
    for package in MIGRATIONS:
        revisions = ("base", *package.missing(None))
        for before, after in pairwise(revisions):
            yield pytest.param(package, f"{before}:{after}", id=f"{package.schema}-{after}")


def _without_known_columns(script):
    """Leaves out NOT NULL of columns for which a valid check says so: the server does not read the table for it."""
    added = re.findall(r'ADD CONSTRAINT "(\w+)" CHECK \((\w+) IS NOT NULL\) NOT VALID', script)
    for name, column in added:
        before, validate, after = script.partition(f'VALIDATE CONSTRAINT "{name}"')
        script = before + validate + after.replace(f"ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT", "DROP", 1)
    return script


@pytest.mark.parametrize(("package", "revisions"), _steps())
def test_no_migration_holds_up_who_uses_a_table_that_is_there_already(package, revisions):
    """No statement reads or rewrites a whole table under a lock, but one that the same migration makes."""
    script = _without_known_columns(package.script(revisions))
    new = set(re.findall(r"CREATE TABLE (\S+)", script))
    faults = [
        statement.strip()
        for statement in script.split(";")
        if (found := re.search(r"(?:ALTER TABLE|DROP TABLE|CREATE (?:UNIQUE )?INDEX[^(]* ON) (\S+)", statement))
        and found[1] not in new
        and re.search(
            r"(?<!USING )INDEX (?!CONCURRENTLY)|CHECK(?!.*NOT VALID)|FOREIGN KEY(?!.*NOT VALID)|UNIQUE \("
            r"|DROP TABLE|DROP COLUMN|RENAME|ALTER COLUMN .* TYPE|SET NOT NULL|ADD COLUMN(?!.*DEFAULT).* NOT NULL",
            statement,
            re.S,
        )
    ]
    assert not faults
