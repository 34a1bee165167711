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
    Progress,
    RarityCounters,
    TargetReviews,
)
from gameshelf.devstack.access import GrantedProducts

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Players:
    """Several users at one connection: the service, what it recorded, and ways to look at it."""

    def __init__(self, connection):
        self.now = NOW
        self.connection = connection
        self.access = GrantedProducts()
        self.events = []
        self.service = AchievementService(connection, self.events.append, self.access, lambda: self.now)
        self.queries = AchievementQueries(connection)
        self.counters = RarityCounters(connection)

    async def define(self, product, said_at=NOW, achievement=None, **values):
        """An achievement of a product, as the Catalog tells of it."""
        achievement = achievement or uuid4()
        fact = DefinitionFact(achievement, product, said_at, values)
        await Definitions(self.connection, lambda: self.now).apply([fact])
        return achievement

    async def own(self, product, user=None):
        """A user who owns a product, and may play it."""
        user = user or uuid4()
        self.may_play(user, product)
        await self.service.own(user, [product])
        return user

    def may_play(self, user, product):
        """Gives a user access to a product, for 30 days already."""
        self.access.grant(user, product, NOW - timedelta(days=30))

    async def offline(self, user, *elements, **how):
        """An import; what became of each element."""
        told = ImportAchievements.model_validate({"achievements": elements}).achievements
        results = await self.service.import_achievements(user, told, **how)
        return [(one.result, one.code) for one in results]

    async def review(self, limit=2):
        """Reviews every changed target; who was unlocked."""
        reviews, unlocked = TargetReviews(self.connection, lambda: self.now), []
        for review in await reviews.pending(100):
            after = UUID(int=0)
            while (found := await reviews.players(review, after, limit)).last:
                unlocked += [event.user_id for event in await reviews.unlock(review, found.reached)]
                after = found.last
            await reviews.finish([review])
        return unlocked

    async def report(self, user, achievement, current, **how):
        return await self.service.report(user, Progress(achievement, current), **how)

    async def one(self, user, achievement):
        [found] = await self.queries.of_ids(user, [achievement])
        return found

    async def fold(self):
        while await self.counters.fold():
            pass

    def later(self, **more):
        self.now += timedelta(**more)


@pytest.fixture(scope="session")
def achievements_dsn(create_database):
    dsn = create_database()
    MIGRATIONS.upgrade(dsn)
    return dsn


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
