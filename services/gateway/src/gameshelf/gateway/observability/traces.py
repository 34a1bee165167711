"""OpenTelemetry traces: a tenth of the requests, and every one that fails.

Most requests are not sampled, so they build no spans: each only carries its ids, for the logs and for whom it calls.
When such a request fails, its span is made after the fact, with the time at which it began.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

SAMPLED_SHARE = 0.1
_NO_ID = "0" * 16


@dataclass(slots=True)
class TraceContext:
    """Where a request stands in its trace: ids in lower-case hex; ``span`` only where the request is sampled."""

    trace_id: str
    span_id: str
    sampled: bool
    span: Span | None = None


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)
_random = Random(os.urandom(16))  # noqa: S311 - ids of traces are no secrets


def current_trace() -> TraceContext | None:
    """The trace of what is running now."""
    return _current.get()


def current_trace_id() -> str:
    """The id to tell support; empty outside a request."""
    trace = _current.get()
    return trace.trace_id if trace else ""


def current_traceparent() -> str | None:
    """The W3C traceparent for whom we call."""
    trace = _current.get()
    return f"00-{trace.trace_id}-{trace.span_id}-{'01' if trace.sampled else '00'}" if trace else None


class Tracing:
    """Makes traces. Without an endpoint nothing is sampled, and requests still have their ids."""

    def __init__(self, endpoint: str | None = None, service: str = "library-service", instance: str = "") -> None:
        self.enabled = endpoint is not None
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service, "service.instance.id": instance}), shutdown_on_exit=False
        )
        if endpoint is not None:
            # Imported where it is used: it brings an HTTP client along that most processes never need.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gameshelf.gateway")

    def request(self, name: str, traceparent: str | None = None, kind: SpanKind = SpanKind.SERVER) -> "TracedRequest":
        """A request that we serve: ``with tracing.request("GET /items", traceparent) as request``."""
        return TracedRequest(self, name, traceparent, kind)

    @contextmanager
    def child(self, name: str, **attributes: Any) -> Iterator[None]:
        """A call that we make for a request."""
        trace = _current.get()
        if trace is None or trace.span is None:
            yield
            return
        with self._tracer.start_as_current_span(
            name, context=set_span_in_context(trace.span), kind=SpanKind.CLIENT, attributes=attributes
        ):
            yield

    def past_child(self, name: str, seconds: float, **attributes: Any) -> None:
        """A call that has just ended after ``seconds``."""
        trace = _current.get()
        if trace is not None and trace.span is not None:
            end = time.time_ns()
            span = self.start(name, set_span_in_context(trace.span), end - int(seconds * 1e9), SpanKind.CLIENT)
            span.set_attributes(attributes)
            span.end(end)

    def start(self, name: str, context: Any, started: int, kind: SpanKind) -> Span:
        return self._tracer.start_span(name, context=context, start_time=started, kind=kind)

    def shutdown(self) -> None:
        """Sends what is left; waits a few seconds at most."""
        self._provider.shutdown()


class TracedRequest:
    """One request as a context manager; ``name`` and ``attributes`` may be set until it ends."""

    __slots__ = ("_failure", "_kind", "_parent", "_started", "_token", "_tracing", "attributes", "name", "trace")

    def __init__(self, tracing: Tracing, name: str, traceparent: str | None, kind: SpanKind) -> None:
        self._tracing = tracing
        self._kind = kind
        self._failure: str | None = None
        self._token: Token[TraceContext | None] | None = None
        self._parent = _parse(traceparent) if traceparent else None
        self._started = time.time_ns()
        self.name = name
        self.attributes: dict[str, Any] = {}
        self.trace = self._begin()

    def _begin(self) -> TraceContext:
        if self._parent:
            trace_id, _, sampled = self._parent
        else:
            trace_id, sampled = f"{_random.getrandbits(128) or 1:032x}", _random.random() < SAMPLED_SHARE
        trace = TraceContext(trace_id, f"{_random.getrandbits(64) or 1:016x}", sampled and self._tracing.enabled)
        if trace.sampled:
            parent_id = self._parent[1] if self._parent else trace.span_id
            trace.span = self._tracing.start(self.name, _remote(trace_id, parent_id), self._started, self._kind)
            trace.span_id = f"{trace.span.get_span_context().span_id:016x}"
        return trace

    def fail(self, reason: str) -> None:
        """The request ends in an error."""
        self._failure = reason

    def __enter__(self) -> "TracedRequest":
        self._token = _current.set(self.trace)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if isinstance(error, Exception):
            self._failure = type(error).__name__
        span = self.trace.span
        if span is None and self._failure and self._tracing.enabled:
            parent_id = self._parent[1] if self._parent else self.trace.span_id
            span = self._tracing.start(self.name, _remote(self.trace.trace_id, parent_id), self._started, self._kind)
        if span is not None:
            span.update_name(self.name)
            span.set_attributes(self.attributes)
            if self._failure:
                span.set_status(Status(StatusCode.ERROR, self._failure))
            span.end()


def _remote(trace_id: str, span_id: str) -> Any:
    context = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return set_span_in_context(NonRecordingSpan(context))


def _parse(traceparent: str) -> tuple[str, str, bool] | None:
    """The trace id, span id and sampling of a W3C traceparent; None for anything else."""
    parts = traceparent.strip().split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2] or parts[0] == "ff":
        return None
    try:
        if not int(parts[1], 16) or not int(parts[2], 16):
            return None
        return parts[1].lower(), parts[2].lower(), bool(int(parts[3], 16) & 1)
    except ValueError:
        return None
