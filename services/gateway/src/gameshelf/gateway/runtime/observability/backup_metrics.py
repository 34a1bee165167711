"""How old backups and drills are."""

import math

from gameshelf.gateway.runtime.backups import EXPECTED, BackupAges
from prometheus_client import CollectorRegistry, Gauge


class BackupMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._age = Gauge(
            "backup_age_seconds",
            "Time since the newest backup's snapshot, by kind; infinite if no dump was recorded",
            ["kind"],
            registry=registry,
        )
        self._drill_age = Gauge(
            "backup_drill_age_seconds",
            "Time since the newest `libctl backup drill` that has passed, by kind of backup; infinite if none has",
            ["kind"],
            registry=registry,
        )
        self.measured(BackupAges({EXPECTED: math.inf}, {EXPECTED: math.inf}))

    def measured(self, ages: BackupAges) -> None:
        """Shows what the database has recorded."""
        for gauge, found in ((self._age, ages.backups), (self._drill_age, ages.drills)):
            for kind, seconds in found.items():
                gauge.labels(kind).set(seconds)
