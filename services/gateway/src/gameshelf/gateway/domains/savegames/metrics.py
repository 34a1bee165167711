"""Metrics of cloud saves."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FILES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


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
        self.set_files = Histogram(
            "savegame_set_files", "Files of the sets that became versions", buckets=_FILES, registry=registry
        )
        self.dedup_bytes = Counter(
            "savegame_dedup_bytes", "Bytes of these sets that were stored already", registry=registry
        )
        self.plans = Counter("savegame_plans", "Planned saves, by action", ["action"], registry=registry)
        self.uploads_open = Gauge("savegame_uploads_open", "Uploads that are not committed", registry=registry)
        self.verify_seconds = Histogram(
            "savegame_verify_seconds", "Duration of the verification of one file", buckets=_SECONDS, registry=registry
        )
        self.verifications = Gauge(
            "savegame_verifications_running", "Files of sets that are being verified", registry=registry
        )
        self.list_age = Gauge(
            "savegame_list_unwritten_age_seconds",
            "Age of the oldest list of a set that is not in the object store; 0: there is none",
            registry=registry,
        )
