"""Prometheus metrics, on a port of their own."""

import math
import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TypeVar

from gameshelf.gateway import __version__
from gameshelf.gateway.runtime.observability.request_metrics import RequestMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

M = TypeVar("M", bound="DomainMetrics")


class DomainMetrics(ABC):
    """The metrics of one domain, which their constructor declares."""

    @abstractmethod
    def __init__(self, registry: CollectorRegistry) -> None: ...


class Metrics:
    """Every metric of one service, in a registry of its own. Raises ValueError if two have one name."""

    def __init__(self, domains: Iterable[type[DomainMetrics]] = ()) -> None:
        # The time at which each series began would be a second series.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self.requests = RequestMetrics(registry)
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
        self._domains = {declared: declared(registry) for declared in domains}

    def of(self, metrics: type[M]) -> M:
        """Returns the metrics of a domain. Raises KeyError if they were not declared."""
        found = self._domains[metrics]
        assert isinstance(found, metrics)
        return found
