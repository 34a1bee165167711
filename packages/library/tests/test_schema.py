"""The migrations and the models agree, and the way back works."""

import asyncio

import asyncpg
import pytest
from gameshelf.library import MIGRATIONS


def test_the_models_are_what_the_migrations_make(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


@pytest.mark.long
async def test_two_migrations_at_once_don_t_disturb_each_other(database):
    await asyncio.gather(*(asyncio.to_thread(_upgrade_alone, database) for _ in range(3)))
    connection = await asyncpg.connect(database)
    assert await MIGRATIONS.current(connection) == MIGRATIONS.head()
    await connection.close()


async def test_any_dsn_that_asyncpg_takes_will_do(database):
    """As of a production's POSTGRES_DSN; SQLAlchemy's own reading of a DSN fails on these."""
    plain = database.removeprefix("postgresql://")
    for dsn in (f"postgres://{plain}?sslmode=prefer", f"postgresql://{plain}?sslmode=disable&application_name=x"):
        await asyncio.to_thread(MIGRATIONS.upgrade, dsn)


async def test_an_empty_database_has_no_revision_in_a_transaction_either(database):
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        assert await MIGRATIONS.current(connection) is None
        assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


@pytest.mark.parametrize(
    "table",
    [
        "user_library_items",
        "user_game_categories",
        "ownership_grants",
        "order_facts",
        "wanted_products",
        "first_accesses",
    ],
)
async def test_every_table_of_users_can_be_distributed_by_the_user(library_dsn, table):
    connection = await asyncpg.connect(library_dsn)
    key = await connection.fetchval(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        f"WHERE i.indrelid = 'library.{table}'::regclass AND i.indisprimary"
    )
    assert key == "user_id"
    await connection.close()


def _upgrade_alone(dsn):
    import subprocess
    import sys

    code = f"from gameshelf.library import MIGRATIONS; MIGRATIONS.upgrade({dsn!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
