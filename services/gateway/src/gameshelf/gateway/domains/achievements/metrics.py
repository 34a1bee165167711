"""Metrics of achievements."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from prometheus_client import CollectorRegistry, Counter


class AchievementMetrics(DomainMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.unlocked = Counter("achievements_unlocked", "Achievements unlocked", registry=registry)
        self.rarity_differences = Counter(
            "achievements_rarity_differences", "Counters that a recount found wrong", registry=registry
        )
        self.refusals_dropped = Counter(
            "achievements_refusals_dropped",
            "Refused reports of achievements that support will not see, because too many wait",
            registry=registry,
        )
