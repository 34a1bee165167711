"""Achievements in one process."""

from gameshelf.achievements import AchievementService, AchievementUnlocked
from gameshelf.gateway.domains.achievements.grpc import Achievements
from gameshelf.gateway.domains.achievements.jobs.rarity import RarityFold, RarityRecount
from gameshelf.gateway.domains.achievements.jobs.targets import LoweredTargets
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.domains.achievements.refused import RefusedReports
from gameshelf.gateway.domains.achievements.support import OVERVIEW, AchievementsOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import AccessQueries


async def create(runtime: Runtime) -> DomainInstance:
    acquire, transactions, metrics = runtime.acquire, runtime.transactions, runtime.metrics
    unlocked = metrics.of(AchievementMetrics).unlocked
    refused = RefusedReports(transactions, metrics)

    def count_unlocked(event: AchievementUnlocked) -> None:
        unlocked.inc()

    return DomainInstance(
        resources={RefusedReports: refused},
        servicers=[Achievements(transactions, acquire, runtime.streams, refused)],
        support=[AchievementsOfUser],
        overview=OVERVIEW,
        after_commit={AchievementUnlocked: count_unlocked},
        jobs=[
            Job("rarity", RarityFold(acquire, metrics).run_once, 1.0),
            Job("rarity recount", RarityRecount(acquire, metrics).run_once, 60.0),
            Job("targets", LoweredTargets(acquire, transactions, metrics=metrics).run_once, 0.5),
        ],
        background=[("refused reports", refused.run)],
        erasing=Erasing(rows=[erase_rows(runtime.services[AchievementService])]),
    )


def make_services(settings: Settings) -> Services:
    """Returns the factory of the service; the library decides who may unlock."""

    def make_achievements(context: ServiceContext) -> AchievementService:
        access = AccessQueries(context.connection)
        return AchievementService(context.connection, context.record, access, context.clock, context.serialise)

    return {AchievementService: make_achievements}
