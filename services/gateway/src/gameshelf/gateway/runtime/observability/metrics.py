"""Prometheus metrics, on a port of their own."""

import math
import platform
from functools import lru_cache

from gameshelf.gateway import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# Anybody can send any method; each one counted by name would be a time series for ever.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Every metric of the service, in a registry of its own."""

    def __init__(self) -> None:
        # The time at which each series began would be a second series.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        http, grpc = ["method", "route", "status"], ["method", "code"]
        self._http = Counter("http_requests", "REST requests", http, registry=registry)
        self._http_seconds = Histogram(
            "http_request_duration_seconds", "How long they took", http[:2], registry=registry, buckets=_SECONDS
        )
        self._grpc = Counter("grpc_requests", "gRPC calls", grpc, registry=registry)
        self._grpc_seconds = Histogram(
            "grpc_request_duration_seconds", "How long they took", grpc[:1], registry=registry, buckets=_SECONDS
        )
        self.dependency_errors = Counter(
            "dependency_errors", "Failures of what the service depends on", ["dependency"], registry=registry
        )
        self.outbox_pending = Gauge("outbox_pending", "Records that wait for Kafka", registry=registry)
        self.outbox_lag_seconds = Gauge("outbox_lag_seconds", "Age of the oldest of them", registry=registry)
        self.outbox_refusals = Counter(
            "outbox_refusals", "Records that Kafka refused, and that were set aside", ["topic"], registry=registry
        )
        self.outbox_refused = Gauge("outbox_refused", "Records that are set aside now", registry=registry)
        self.kafka_consumer_lag = Gauge(
            "kafka_consumer_lag", "Records that wait, whatever for", ["topic", "partition"], registry=registry
        )
        self.kafka_records_deferred = Gauge(
            "kafka_records_deferred", "Records set aside, of all instances together", registry=registry
        )
        self.kafka_records = Counter("kafka_records", "Records read", ["topic", "result"], registry=registry)
        self.dead_letters = Counter(
            "dead_letters", "Records that can never be applied", ["topic", "reason"], registry=registry
        )
        self.websocket_connections = Gauge("websocket_connections", "Open WebSockets", registry=registry)
        self.origins_refused = Counter(
            "origins_refused", "Requests and handshakes of pages that may not call", ["transport"], registry=registry
        )
        self.heartbeats = Counter("playtime_heartbeats", "Heartbeats of sessions", ["result"], registry=registry)
        self.heartbeat_seconds = Histogram(
            "playtime_heartbeat_duration_seconds",
            "From the first heartbeat of a batch until the batch is in Redis",
            registry=registry,
            buckets=_SECONDS,
        )
        self.active_sessions = Gauge(
            "playtime_active_sessions", "Running sessions, of all instances together", registry=registry
        )
        self.playtime_anomalies = Counter("playtime_anomalies", "Play that can't be", ["kind"], registry=registry)
        self.achievements_unlocked = Counter("achievements_unlocked", "Achievements unlocked", registry=registry)
        self.rarity_differences = Counter(
            "achievements_rarity_differences", "Counters that a recount found wrong", registry=registry
        )
        self.wishlist_notifications = Counter(
            "wishlist_notifications", "Wishers who were told of a sale or a lasting cut", registry=registry
        )
        self.savegame_syncs = Counter(
            "savegame_syncs",
            "Uploads that were confirmed, downloads that were signed",
            ["direction", "result"],
            registry=registry,
        )
        self.savegame_sync_bytes = Counter("savegame_sync_bytes", "Bytes of them", ["direction"], registry=registry)
        self.savegame_objects = Counter(
            "savegame_objects", "What the sweeps of the object store found", ["found"], registry=registry
        )
        self.database_replaced = Gauge(
            "database_replaced",
            "Whether another database took this one's place and `libctl backup mark-restored` was not run",
            registry=registry,
        )
        self.restore_open = Gauge(
            "restore_open", "Whether jobs wait for `libctl saves reconcile --apply`", registry=registry
        )
        self.backup_age = Gauge(
            "backup_age_seconds",
            "Since the moment that the newest backup is of; infinite where none was noted",
            registry=registry,
        )
        self.backup_age.set(math.inf)
        Gauge("build_info", "The release that runs, always 1", ["version", "python"], registry=registry).labels(
            __version__, platform.python_version()
        ).set(1)
        self.job_runs = Counter("job_runs", "Runs of periodic jobs", ["job", "result"], registry=registry)
        self.job_last_success = Gauge(
            "job_last_success_timestamp_seconds", "When a job last ended well", ["job"], registry=registry
        )
        self.job_items_set_aside = Counter(
            "job_items_set_aside",
            "Items that a job passed over to try them again: they failed, or somebody held them",
            ["job", "reason"],
            registry=registry,
        )
        self.pool_size = Gauge("postgres_pool_size", "Open connections to PostgreSQL", registry=registry)
        self.pool_idle = Gauge("postgres_pool_idle", "Those not in use", registry=registry)
        # Finding a child by its labels costs more than counting, so each is looked up once.
        self._http_child = lru_cache(maxsize=2048)(self._http.labels)
        self._http_seconds_child = lru_cache(maxsize=512)(self._http_seconds.labels)
        self._grpc_child = lru_cache(maxsize=512)(self._grpc.labels)
        self._grpc_seconds_child = lru_cache(maxsize=128)(self._grpc_seconds.labels)

    def http_served(self, method: str, route: str, status: int, seconds: float) -> None:
        """A REST request has been answered after ``seconds``; ``route`` is the template, never the path."""
        method = method if method in _METHODS else "OTHER"
        self._http_child(method, route, str(status)).inc()
        self._http_seconds_child(method, route).observe(seconds)

    def grpc_served(self, method: str, code: str, seconds: float | None) -> None:
        """A gRPC call of a known method has been answered after ``seconds``, or a stream (None) is over.

        ``code`` is as gRPC names it.
        """
        self._grpc_child(method, code).inc()
        if seconds is not None:
            self._grpc_seconds_child(method).observe(seconds)
