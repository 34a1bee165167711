"""Databases for tests: copies of a migrated one, and one that is shared by tests that roll back."""

import asyncio

import asyncpg
import pytest
from gameshelf.devstack.databases import Databases

INSERT = "INSERT INTO games VALUES ('Half-Life')"


class Package:
    """Its migrations make a table with a row."""

    upgrades = 0

    def upgrade(self, dsn):
        run(dsn, "CREATE TABLE games (title text)")
        run(dsn, "INSERT INTO games VALUES ('Portal')")
        self.upgrades += 1


def run(dsn, statement):
    async def run():
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def databases(postgres):
    return Databases(postgres)


def test_migrations_run_once_and_no_database_sees_another_one(databases):
    package = Package()
    first, second = databases.create(package), databases.create(package)
    run(first, INSERT)
    assert [row["title"] for row in run(second, "SELECT title FROM games")] == ["Portal"]
    assert package.upgrades == 1


def test_what_is_committed_where_all_roll_back_is_found(databases):
    package = Package()
    shared = databases.rolled_back(package)
    assert databases.rolled_back(package) == shared
    run(databases.create(package), INSERT)
    assert databases.committed() == {}
    run(shared, INSERT)
    assert databases.committed() == {"games": 1}
