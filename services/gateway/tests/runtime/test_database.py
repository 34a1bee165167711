"""The connections of a process: what they keep, and what happens if all of them are in use."""

import pytest
from gameshelf.gateway.runtime import database
from gameshelf.gateway.runtime.observability.traces import Tracing


async def test_waiting_for_a_connection_ends_with_its_own_error(create_database, monkeypatch):
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.01)
    opened = await database.connect(create_database(), 1, Tracing(None))
    async with opened.acquire():
        with pytest.raises(database.NoFreeConnection):
            await opened.take_connection()
    async with opened.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await opened.close()


async def test_a_statement_is_prepared_once_however_long_it_is(create_database):
    opened = await database.connect(create_database(), 1, Tracing(None))
    text = f"SELECT length('{'x' * 20_000}')"
    async with opened.acquire() as connection:
        for _ in range(3):
            assert await connection.fetchval(text) == 20_000
        prepared = await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE statement = $1", text)
    await opened.close()
    assert prepared == 1
