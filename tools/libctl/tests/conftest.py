"""Fixtures that the tests of libctl share: statements on a database."""

import asyncio

import asyncpg
import pytest


def _with(dsn, work):
    async def run():
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture(scope="session")
def execute():
    """Runs statements that have no values."""

    async def each(connection, statements):
        for statement in statements:
            await connection.execute(statement)

    return lambda dsn, *statements: _with(dsn, lambda connection: each(connection, statements))


@pytest.fixture(scope="session")
def fetch():
    """Runs a statement, and returns its rows."""
    return lambda dsn, query, *values: _with(dsn, lambda connection: connection.fetch(query, *values))
