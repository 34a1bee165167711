"""A player and their settings on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.access import AllButBarred
from gameshelf.settings import (
    MIGRATIONS,
    Address,
    LayerPrecondition,
    NewSettings,
    SettingsPatch,
    SettingsQueries,
    SettingsService,
    parse_tag,
)

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Player:
    """One player's settings of one game, and reads of them."""

    def __init__(self, connection):
        self.connection = connection
        self.now = NOW
        self.id, self.product = uuid4(), uuid4()
        self.access = AllButBarred()
        self.events = []
        self.service = SettingsService(connection, self.events.append, self.access, lambda: self.now, max_bytes=1000)
        self.queries = SettingsQueries(connection)

    async def put(self, payload, at=None, given=None):
        settings, _ = await self.service.put(
            self.id, self.product, Address(**at or {}), NewSettings(settings_payload=payload), given
        )
        return settings

    async def patch(self, payload, at=None, given=None):
        settings, _ = await self.service.patch(
            self.id, self.product, Address(**at or {}), SettingsPatch(settings_payload=payload), given
        )
        return settings

    async def delete(self, at=None, given=None):
        await self.service.delete(self.id, self.product, Address(**at or {}), given)

    async def get(self, **at):
        return await self.queries.settings(self.id, self.product, Address(**at), self.now)

    def later(self, **more):
        self.now += timedelta(**more)


@pytest.fixture(scope="session")
def settings_dsn(rolled_back_database):
    return rolled_back_database(MIGRATIONS)


@pytest.fixture
async def player(settings_dsn):
    """A player inside a transaction that is rolled back."""
    connection = await asyncpg.connect(settings_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Player(connection)
    await transaction.rollback()
    await connection.close()


@pytest.fixture(scope="session")
def make_player():
    return Player


@pytest.fixture(scope="session")
def read():
    """Returns a function that makes the precondition of a writer who has read a tag."""
    return lambda tag: LayerPrecondition(frozenset({parse_tag(tag)}))
