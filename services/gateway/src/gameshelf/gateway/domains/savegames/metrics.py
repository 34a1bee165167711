"""Metrics of cloud saves."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from prometheus_client import CollectorRegistry, Counter


class SavegameMetrics(DomainMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.syncs = Counter(
            "savegame_syncs",
            "Confirmed uploads and signed downloads",
            ["direction", "result"],
            registry=registry,
        )
        self.sync_bytes = Counter(
            "savegame_sync_bytes", "Bytes of confirmed uploads and signed downloads", ["direction"], registry=registry
        )
        self.objects = Counter(
            "savegame_objects",
            "Objects that jobs found in the object store or wrote to it, by finding",
            ["found"],
            registry=registry,
        )
