"""The Prometheus metrics of the service, which have their own port."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TypeVar

from gameshelf.gateway import __version__
from gameshelf.gateway.runtime.observability.backup_metrics import BackupMetrics
from gameshelf.gateway.runtime.observability.job_metrics import JobMetrics
from gameshelf.gateway.runtime.observability.request_metrics import RequestMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

M = TypeVar("M", bound="DomainMetrics")


class DomainMetrics(ABC):
    """The metrics of one domain, which their constructor declares."""

    @abstractmethod
    def __init__(self, registry: CollectorRegistry) -> None: ...


class Metrics:
    """Every metric of one service, in a registry of its own. Raises ValueError if two have one name."""

    def __init__(self, domains: Iterable[type[DomainMetrics]] = (), revision: str = "", event_loop: str = "") -> None:
        """``revision`` is that of the source which this process was built from, ``event_loop`` what it runs on."""
        # Otherwise the client exports the creation time of each series as another series.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = RequestMetrics(registry)
        self.dependency_errors = Counter(
            "dependency_errors", "Failures of dependencies", ["dependency"], registry=registry
        )
        self.dependency_up = Gauge(
            "dependency_up", "Whether this process can use a dependency, 1 or 0", ["dependency"], registry=registry
        )
        self.outbox_pending = Gauge("outbox_pending", "Records that wait for Kafka", registry=registry)
        self.outbox_lag_seconds = Gauge("outbox_lag_seconds", "Age of the oldest waiting record", registry=registry)
        self.outbox_refusals = Counter(
            "outbox_refusals", "Records that Kafka refused and that were set aside", ["topic"], registry=registry
        )
        self.outbox_refused = Gauge("outbox_refused", "Refused records that are set aside now", registry=registry)
        self.kafka_consumer_lag = Gauge(
            "kafka_consumer_lag", "Records to consume, with deferred ones", ["topic", "partition"], registry=registry
        )
        self.kafka_records_deferred = Gauge(
            "kafka_records_deferred", "Deferred records, of all instances together", registry=registry
        )
        self.kafka_records = Counter("kafka_records", "Records read", ["topic", "result"], registry=registry)
        self.dead_letters = Counter(
            "dead_letters", "Records that can never be applied", ["topic", "reason"], registry=registry
        )
        self.websocket_connections = Gauge("websocket_connections", "Open WebSockets", registry=registry)
        self.origins_refused = Counter(
            "origins_refused", "Requests of pages whose origin is not allowed", ["transport"], registry=registry
        )
        self.database_replaced = Gauge(
            "database_replaced",
            "Whether another database replaced this one and `libctl backup mark-restored` was not run",
            registry=registry,
        )
        self.restore_open = Gauge(
            "restore_open", "Whether jobs wait for `libctl saves reconcile --apply`", registry=registry
        )
        self.backups = BackupMetrics(registry)
        build = Gauge(
            "build_info",
            "Version of the service; always 1",
            ["version", "revision", "python", "event_loop"],
            registry=registry,
        )
        build.labels(__version__, revision, platform.python_version(), event_loop).set(1)
        self.service_role = Gauge("service_role", "Roles of this process; always 1", ["role"], registry=registry)
        self.jobs = JobMetrics(registry)
        self.pool_size = Gauge("postgres_pool_size", "Open connections to PostgreSQL", registry=registry)
        self.pool_idle = Gauge("postgres_pool_idle", "Idle connections to PostgreSQL", registry=registry)
        self.pool_in_use = Gauge("postgres_pool_in_use", "Connections to PostgreSQL in use", registry=registry)
        self.pool_waiting = Gauge("postgres_pool_waiting", "Callers that wait for a connection", registry=registry)
        self.pool_limit = Gauge("postgres_pool_limit", "POSTGRES_POOL_SIZE", registry=registry)
        self._domains = {declared: declared(registry) for declared in domains}

    def of(self, metrics: type[M]) -> M:
        """Returns the metrics of a domain. Raises KeyError if they were not declared."""
        found = self._domains[metrics]
        assert isinstance(found, metrics)
        return found
