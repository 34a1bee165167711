"""Metrics of play sessions."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from gameshelf.gateway.runtime.observability.request_metrics import SECONDS
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class PlaytimeMetrics(DomainMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.heartbeats = Counter("playtime_heartbeats", "Heartbeats of sessions", ["result"], registry=registry)
        self.heartbeat_seconds = Histogram(
            "playtime_heartbeat_duration_seconds",
            "Time from the first heartbeat of a batch until the batch is in Redis",
            registry=registry,
            buckets=SECONDS,
        )
        self.active_sessions = Gauge(
            "playtime_active_sessions", "Running sessions, of all instances together", registry=registry
        )
        self.anomalies = Counter("playtime_anomalies", "Implausible play sessions", ["kind"], registry=registry)
