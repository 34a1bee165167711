"""A process whose connections are all in use says so."""

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
