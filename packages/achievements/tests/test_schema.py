"""The migrations and the models agree, and the way back works."""

import asyncpg
from gameshelf.achievements import MIGRATIONS

TABLES = ["user_achievements", "owned_products", "refused_attempts"]


def test_the_models_are_what_the_migrations_make(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


async def test_every_key_of_what_belongs_to_a_user_begins_with_the_user(achievements_dsn):
    connection = await asyncpg.connect(achievements_dsn)
    keys = await connection.fetch(
        "SELECT c.relname AS name, a.attname AS first FROM pg_index i "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'achievements' AND i.indisprimary AND c.relname = ANY ($1)",
        TABLES,
    )
    await connection.close()
    assert {key["name"]: key["first"] for key in keys} == dict.fromkeys(TABLES, "user_id")
