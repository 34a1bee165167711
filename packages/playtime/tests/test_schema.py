"""The migrations and the models agree, and downgrades work."""

import asyncpg
from gameshelf.playtime import MIGRATIONS


def test_the_models_are_the_tables_of_the_migrations(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_repeated(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


async def test_every_key_of_what_belongs_to_a_user_begins_with_the_user(playtime_dsn):
    connection = await asyncpg.connect(playtime_dsn)
    keys = await connection.fetch(
        "SELECT i.indrelid::regclass::text AS name, a.attname AS first FROM pg_index i "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'playtime' AND (i.indisprimary OR i.indisunique) "
        "AND c.relname NOT IN ('alembic_version', 'playtime_watches')"
    )
    await connection.close()
    assert keys
    assert {key["first"] for key in keys} == {"user_id"}
