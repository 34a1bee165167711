"""The migrations and the models agree, and the way back works."""

from gameshelf.savegames import MIGRATIONS


def test_the_models_are_what_the_migrations_make(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)
