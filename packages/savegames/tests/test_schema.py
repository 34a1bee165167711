"""The migrations create the models' tables, and can be undone."""

import asyncpg
from gameshelf.savegames import MIGRATIONS


def test_the_migrations_create_the_tables_of_the_models(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


async def test_every_key_of_a_users_table_begins_with_the_user(savegames_dsn):
    connection = await asyncpg.connect(savegames_dsn)
    keys = await connection.fetch(
        "SELECT c.relname AS name, a.attname AS first FROM pg_index i "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'savegames' AND i.indisprimary"
    )
    await connection.close()
    firsts = {key["name"]: key["first"] for key in keys if key["name"] != "alembic_version"}
    assert firsts.pop("savegame_scans") == "name"
    assert {firsts.pop(f"savegame_{name}") for name in ("policies", "game_versions")} == {"product_id"}
    assert len(firsts) == 14
    assert set(firsts.values()) == {"user_id"}
