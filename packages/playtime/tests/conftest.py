"""One user's play on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.access import GrantedProducts
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.playtime import MIGRATIONS, OfflineSession, PlaytimeQueries, PlaytimeService, StartSession

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class OwnCopies:
    """Answers the port ``Copies`` for players who own what they play."""

    def __init__(self, owned):
        self.owned = owned
        self.shared = {}
        self.bought = set()
        self.members = set()

    async def take(self, user_id, product_id, session_id):
        if product_id in self.shared:
            return SimpleNamespace(owner_user_id=self.shared[product_id][0], seat_number=7)
        if (user_id, product_id) not in self.owned.since:
            raise PermissionDenied
        return SimpleNamespace(owner_user_id=None, seat_number=None)

    async def owns(self, user_id, product_id):
        return product_id in self.bought

    async def take_shared(self, user_id, product_id, session_id):
        owners = self.shared.get(product_id)
        return SimpleNamespace(owner_user_id=owners[0], seat_number=8) if owners else None

    async def lock_copies(self, user_id, product_ids):
        return {product: self.shared[product] for product in product_ids if product in self.shared}

    async def players(self, owner_ids, since):
        return owner_ids | self.members


class Play:
    """A player: the service, the events that it recorded, and shortcuts for tests. ``now`` is the time of its clock."""

    def __init__(self, connection):
        self.user = uuid4()
        self.now = NOW
        self.connection = connection
        self.owned = GrantedProducts()
        self.events = []
        self.copies = OwnCopies(self.owned)
        self.service = PlaytimeService(connection, self.events.append, self.owned, self.copies, lambda: self.now)
        self.queries = PlaytimeQueries(connection)

    def own(self, product=None, since=NOW - timedelta(days=60)):
        """A product that may be played."""
        product = product or uuid4()
        self.owned.grant(self.user, product, since)
        return product

    def switch_user(self):
        """Continues as a new user, who may play the same products. Returns the id of the one before."""
        before, self.user = self.user, uuid4()
        for (user, product), since in list(self.owned.since.items()):
            if user == before:
                self.owned.grant(self.user, product, since)
        return before

    def later(self, **more):
        self.now += timedelta(**more)

    async def start(self, product, device=None):
        session, _ = await self.service.start(self.user, StartSession(product_id=product, device_id=device))
        return session

    async def end(self, session):
        return await self.service.end(self.user, session.id)

    async def import_sessions(self, *offline):
        """Imports sessions; returns the result of each."""
        results = await self.service.import_sessions(self.user, offline)
        return [(result.result, result.code) for result in results]

    def events_of(self, kind):
        """The events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def offline(self, product, start, minutes, client_id=None, **more):
        return OfflineSession(
            client_session_id=client_id or uuid4().hex,
            product_id=product,
            start_time=start,
            end_time=start + timedelta(minutes=minutes),
            **more,
        )

    async def total(self, product):
        return await self.connection.fetchval(
            "SELECT played_seconds + corrected_seconds FROM playtime.playtime_totals "
            "WHERE user_id = $1 AND product_id = $2",
            self.user,
            product,
        )


@pytest.fixture(scope="session")
def playtime_dsn(rolled_back_database):
    return rolled_back_database(MIGRATIONS)


@pytest.fixture
async def play(playtime_dsn):
    """A player inside a transaction that is rolled back."""
    connection = await asyncpg.connect(playtime_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Play(connection)
    await transaction.rollback()
    await connection.close()


@pytest.fixture(scope="session")
def make_play():
    return Play
