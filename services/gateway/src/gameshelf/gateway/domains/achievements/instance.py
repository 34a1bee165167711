"""Achievements in one process."""

from gameshelf.achievements import AchievementService
from gameshelf.gateway.domains.achievements.grpc import Achievements
from gameshelf.gateway.domains.achievements.support import OVERVIEW, AchievementsOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import AccessQueries


async def create(runtime: Runtime) -> DomainInstance:
    achievements = Achievements(runtime.transactions, runtime.acquire, runtime.streams)
    return DomainInstance(servicers=[achievements], support=[AchievementsOfUser], overview=OVERVIEW)


def make_services(settings: Settings) -> Services:
    """The library says who may unlock."""

    def make_achievements(context: ServiceContext) -> AchievementService:
        access = AccessQueries(context.connection)
        return AchievementService(context.connection, context.record, access, context.clock, context.serialise)

    return {AchievementService: make_achievements}
