"""Metrics of cloud saves."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from prometheus_client import CollectorRegistry, Counter


class SavegameMetrics(DomainMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.syncs = Counter(
            "savegame_syncs",
            "Uploads that were confirmed, downloads that were signed",
            ["direction", "result"],
            registry=registry,
        )
        self.sync_bytes = Counter("savegame_sync_bytes", "Bytes of them", ["direction"], registry=registry)
        self.objects = Counter(
            "savegame_objects", "What the sweeps of the object store found", ["found"], registry=registry
        )
