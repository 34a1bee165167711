"""A player and their saves on a real PostgreSQL. The store is a dict of what was uploaded."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.savegames import (
    MIGRATIONS,
    Digest,
    Limits,
    NewUpload,
    SavegameConflicts,
    SavegameQueries,
    SavegameService,
    SavegameSweeps,
    SavegameUploads,
)

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Playable:
    """Answers the port ``Access``."""

    def __init__(self):
        self.barred = set()

    async def require(self, user_id, product_id):
        if product_id in self.barred:
            raise PermissionDenied


class Player:
    """One player's saves of one game, and ways to look at them."""

    def __init__(self, connection, limits):
        self.connection = connection
        self.limits = limits
        self.now = NOW
        self.id, self.product = uuid4(), uuid4()
        self.access = Playable()
        self.events = []
        made = (connection, self.events.append)
        self.uploads = SavegameUploads(*made, self.access, self.clock, limits)
        self.service = SavegameService(*made, self.clock, limits)
        self.conflicts = SavegameConflicts(*made, self.clock, limits)
        self.sweeps = SavegameSweeps(connection, self.clock, limits)
        self.queries = SavegameQueries(connection)

    def clock(self):
        return self.now

    def later(self, **more):
        self.now += timedelta(**more)

    async def request(self, content, slot="slot", **more):
        new = {
            "product_id": self.product,
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            **more,
        }
        return await self.uploads.request(self.id, NewUpload(**new))

    async def confirm(self, reservation, sent=None):
        """Confirms what was sent: by default just what was announced."""
        attempt = await self.uploads.begin(self.id, reservation.upload_id)
        digest = None
        if attempt:
            digest = Digest(attempt.size, attempt.content)
        if sent is not None:
            digest = Digest(len(sent), sha256(sent).digest())
        return await self.uploads.finish(self.id, reservation.upload_id, attempt, digest)

    async def save(self, content, slot="slot", **more):
        """Uploads and confirms."""
        outcome = await self.confirm(await self.request(content, slot, **more))
        self.later(seconds=1)
        return outcome

    async def usage(self):
        usage = await self.queries.usage(self.id)
        return usage.used_bytes, usage.reserved_bytes


@pytest.fixture(scope="session")
def savegames_dsn(create_database):
    dsn = create_database()
    MIGRATIONS.upgrade(dsn)
    return dsn


@pytest.fixture
async def connection(savegames_dsn):
    """A connection inside a transaction that is rolled back."""
    connection = await asyncpg.connect(savegames_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
def new_player(connection):
    """Makes players with limits of their own."""
    return lambda **limits: Player(connection, Limits(**limits))


@pytest.fixture
def player(new_player):
    """A player with room for a thousand bytes, and four versions a slot."""
    return new_player(max_bytes=500, quota_bytes=1000, max_versions=4)
