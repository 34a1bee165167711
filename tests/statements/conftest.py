"""Fixtures of the proofs over all statements: the statements, the tables, and a database with every schema."""

import asyncpg
import pytest
from gameshelf.devstack.statements import PACKAGES, Tables, found, tables
from gameshelf.gateway.wiring import MIGRATIONS


@pytest.fixture(scope="session")
def keys():
    """Every table with the column of its users."""
    return {name: key for package in PACKAGES for name, key in tables(package).items()}


@pytest.fixture(scope="session")
def statements():
    """Every statement by its name."""
    return {name: statement for package in PACKAGES for name, statement in found(package).items()}


@pytest.fixture(scope="module")
def migrated(create_database):
    """A database with every schema."""
    return create_database(*MIGRATIONS)


@pytest.fixture(scope="module")
async def everything(migrated, keys):
    """A connection to a database with every table, and their description."""
    connection = await asyncpg.connect(migrated, statement_cache_size=1000, server_settings={"search_path": "public"})
    yield connection, await Tables.read(connection, keys)
    await connection.close()
