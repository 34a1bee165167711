"""Players and their achievements on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.achievements import (
    MIGRATIONS,
    AchievementQueries,
    AchievementService,
    DefinitionFact,
    Definitions,
    ImportAchievements,
    ProgressUpdate,
    RarityCounters,
    TargetReviews,
)
from gameshelf.devstack.access import GrantedProducts

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Players:
    """Several users on one connection: the service, its events, and queries."""

    def __init__(self, connection):
        self.now = NOW
        self.connection = connection
        self.access = GrantedProducts()
        self.events = []
        self.service = AchievementService(connection, self.events.append, self.access, lambda: self.now)
        self.queries = AchievementQueries(connection)
        self.counters = RarityCounters(connection)

    async def define(self, product, said_at=NOW, achievement=None, **values):
        """Defines an achievement of a product, as the Catalog does. Returns its id."""
        achievement = achievement or uuid4()
        fact = DefinitionFact(achievement, product, said_at, values)
        await Definitions(self.connection, lambda: self.now).apply([fact])
        return achievement

    async def own(self, product, user=None):
        """Makes a user own a product, and returns the user. A new one is made where none is given."""
        user = user or uuid4()
        self.may_play(user, product)
        await self.service.own(user, [product])
        return user

    def may_play(self, user, product):
        """Gives a user access to a product since 30 days ago."""
        self.access.grant(user, product, NOW - timedelta(days=30))

    async def offline(self, user, *elements, **how):
        """Imports elements. Returns the result and the code of each."""
        read = ImportAchievements.model_validate({"achievements": elements}).achievements
        results = await self.service.import_achievements(user, read, **how)
        return [(one.result, one.code) for one in results]

    async def review(self, limit=2):
        """Reviews every changed target. Returns the users whom that unlocks."""
        reviews, unlocked = TargetReviews(self.connection, lambda: self.now), []
        for review in await reviews.pending(100):
            after = UUID(int=0)
            while (found := await reviews.players(review, after, limit)).last:
                unlocked += [event.user_id for event in await reviews.unlock(review, found.reached)]
                after = found.last
            await reviews.finish([review])
        return unlocked

    async def report(self, user, achievement, current, **how):
        return await self.service.report(user, ProgressUpdate(achievement, current), **how)

    async def one(self, user, achievement):
        [found] = await self.queries.of_ids(user, [achievement])
        return found

    async def fold(self):
        while await self.counters.fold():
            pass

    def later(self, **more):
        self.now += timedelta(**more)


@pytest.fixture(scope="session")
def achievements_dsn(rolled_back_database):
    return rolled_back_database(MIGRATIONS)


@pytest.fixture
def own_dsn(create_database):
    """A database of this test alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def players(achievements_dsn):
    """Players inside a transaction that is rolled back."""
    connection = await asyncpg.connect(achievements_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Players(connection)
    await transaction.rollback()
    await connection.close()


@pytest.fixture
def make_players():
    return Players
