"""Metrics of requests: their number by result, and their duration."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram

# A client can send any method, and each method that is counted by name is a time series for ever.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper limits of the buckets of durations. The limits of the objectives are among them (``docs/slo.md``)."""


class RequestMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        http, grpc = ["method", "route", "status"], ["method", "code"]
        self._http = Counter("http_requests", "REST requests", http, registry=registry)
        self._http_seconds = Histogram(
            "http_request_duration_seconds", "Duration of REST requests", http[:2], registry=registry, buckets=SECONDS
        )
        self._grpc = Counter("grpc_requests", "gRPC calls", grpc, registry=registry)
        self._grpc_seconds = Histogram(
            "grpc_request_duration_seconds", "Duration of gRPC calls", grpc[:1], registry=registry, buckets=SECONDS
        )
        # Looking up a child by its labels costs more than counting, so the children are cached.
        self._http_child = lru_cache(maxsize=2048)(self._http.labels)
        self._http_seconds_child = lru_cache(maxsize=512)(self._http_seconds.labels)
        self._grpc_child = lru_cache(maxsize=512)(self._grpc.labels)
        self._grpc_seconds_child = lru_cache(maxsize=128)(self._grpc_seconds.labels)

    def http_served(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a REST request that was answered after ``seconds``; ``route`` is the template, never the path."""
        method = method if method in _METHODS else "OTHER"
        self._http_child(method, route, str(status)).inc()
        self._http_seconds_child(method, route).observe(seconds)

    def grpc_served(self, method: str, code: str, seconds: float | None) -> None:
        """Counts a call of a known gRPC method that was answered after ``seconds``, or a stream (None) that ended.

        ``code`` is gRPC's name of the status.
        """
        self._grpc_child(method, code).inc()
        if seconds is not None:
            self._grpc_seconds_child(method).observe(seconds)
