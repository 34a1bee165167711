"""Databases for tests: copies of a migrated one, and one that is shared by tests that roll back."""

import asyncio

import asyncpg
import pytest
from gameshelf.devstack.databases import Databases
from gameshelf.devstack.run_templates import copy_to, templates
from gameshelf.devstack.servers import Postgres

INSERT = "INSERT INTO games VALUES ('Half-Life')"


class Package:
    """Its migrations make a table with a row."""

    def __init__(self, table="games"):
        self.table, self.upgrades = table, 0

    def upgrade(self, dsn):
        run(dsn, f"CREATE TABLE {self.table} (title text)")
        run(dsn, f"INSERT INTO {self.table} VALUES ('Portal')")
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


@pytest.fixture
def worker(tmp_path):
    """Makes the databases of a worker, whose run has the folder ``run``."""
    started = []
    (tmp_path / "run" / "postgresql" / "data").mkdir(parents=True)  # of a worker that was killed while it made the data

    def make(*packages):
        server = Postgres(tmp_path / str(len(started)))
        server.durable = False
        copy_to(server, tmp_path / "run", lambda: packages)
        server.start()
        started.append(server)
        return Databases(server, templates(packages))

    yield make
    for server in started:
        server.stop()


def test_the_workers_of_a_run_migrate_once_and_share_nothing(worker):
    package, other = Package(), Package("demos")
    first, second = (worker(package, other).create(package) for _ in range(2))
    assert (package.upgrades, other.upgrades) == (2, 2)  # alone and together
    run(first, INSERT)
    assert [row["title"] for row in run(second, "SELECT title FROM games")] == ["Portal"]
