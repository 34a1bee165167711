"""The migrations and the models agree, and the way back works."""

import asyncpg
from gameshelf.settings import MIGRATIONS


def test_the_models_are_what_the_migrations_make(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


async def test_every_key_of_what_belongs_to_a_user_begins_with_the_user(settings_dsn):
    connection = await asyncpg.connect(settings_dsn)
    keys = await connection.fetch(
        "SELECT c.relname AS name, a.attname AS first FROM pg_index i "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'settings' AND i.indisprimary"
    )
    await connection.close()
    nobodys = ("alembic_version", "first_revisions")
    assert {key["name"]: key["first"] for key in keys if key["name"] not in nobodys} == dict.fromkeys(
        ("game_specific_settings", "game_settings_overlays", "kept_payloads"), "user_id"
    )
