"""OpenTelemetry traces: a tenth of the requests, and every one that fails.

Most requests are not sampled and build no spans: they only have ids, for logs and outgoing calls. If such a request
fails, its span is made afterwards, with its ids and the time at which it began.
"""

import threading
import time
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from gameshelf.gateway.runtime.observability.context import (
    TraceContext,
    begin_trace,
    current,
    current_trace,
    current_trace_id,
    current_traceparent,
    parse_traceparent,
)
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
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

__all__ = ["TraceContext", "TracedRequest", "Tracing", "current_trace", "current_trace_id", "current_traceparent"]

SAMPLED_SHARE = 0.1
_EXPORT_SECONDS = 5
_SHUTDOWN_SECONDS = 3
_NOTHING: AbstractContextManager[None] = nullcontext()

_given_ids: ContextVar[TraceContext | None] = ContextVar("given ids", default=None)


class _GivenIds(RandomIdGenerator):
    """Gives a span the ids that its request already has in logs and outgoing calls."""

    def generate_trace_id(self) -> int:
        given = _given_ids.get()
        return int(given.trace_id, 16) if given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        given = _given_ids.get()
        return int(given.span_id, 16) if given else super().generate_span_id()


class Tracing:
    """Makes traces. Without an endpoint nothing is sampled, but requests still have ids.

    ``share`` is the part of the requests without a trace that are sampled, from 0 to 1.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        service: str = "library-service",
        instance: str = "",
        share: float = SAMPLED_SHARE,
    ) -> None:
        self.enabled = endpoint is not None
        self._share = share if self.enabled else 0.0
        self._provider = TracerProvider(
            # The decision whether to sample is made before a span is made.
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": service, "service.instance.id": instance}),
            id_generator=_GivenIds(),
            shutdown_on_exit=False,
        )
        if endpoint is not None:
            # Imported here because it imports an HTTP client that most processes never need.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gameshelf.gateway")

    def request(self, name: str, traceparent: str | None = None, kind: SpanKind = SpanKind.SERVER) -> "TracedRequest":
        """Traces an incoming request: ``with tracing.request("GET /items", traceparent) as request``."""
        parent = parse_traceparent(traceparent) if traceparent else None
        return TracedRequest(self, name, parent, begin_trace(parent, self._share), kind)

    def child(self, name: str, **attributes: Any) -> AbstractContextManager[None]:
        """Traces an outgoing call of a request: ``with tracing.child("kafka send", records=5)``."""
        trace = current.get()
        if trace is None or trace.span is None:
            return _NOTHING
        return _Child(self, name, trace, attributes)

    def past_child(self, name: str, seconds: float, **attributes: Any) -> None:
        """Traces a call that has just ended after ``seconds``."""
        trace = current.get()
        if trace is not None and trace.span is not None:
            end = time.time_ns()
            span = self.start(name, begin_trace(trace, 0), trace, SpanKind.CLIENT, end - int(seconds * 1e9))
            span.set_attributes(attributes)
            span.end(end)

    def late_send(self, name: str, traceparent: str, started: int, **attributes: Any) -> None:
        """Traces a message that was just sent for an earlier request; ``started`` is in nanoseconds since 1970."""
        parent = parse_traceparent(traceparent)
        if self.enabled and parent is not None and parent.sampled:
            span = self.start(name, begin_trace(parent, 0), parent, SpanKind.PRODUCER, started)
            span.set_attributes(attributes)
            span.end()

    def start(
        self, name: str, trace: TraceContext, parent: TraceContext | None, kind: SpanKind, started: int | None = None
    ) -> Span:
        """Starts a span with the ids of ``trace``; ``started`` is in nanoseconds since 1970, by default now."""
        token = _given_ids.set(trace)
        try:
            return self._tracer.start_span(name, context=_context(parent), kind=kind, start_time=started)
        finally:
            _given_ids.reset(token)

    def shutdown(self) -> None:
        """Sends the remaining spans, and gives up after a few seconds."""
        # The SDK itself would wait as long as its exporter retries.
        sending = threading.Thread(target=self._provider.shutdown, name="traces shutdown", daemon=True)
        sending.start()
        sending.join(_SHUTDOWN_SECONDS)


class TracedRequest:
    """One request as a context manager; ``name`` and ``attributes`` may be set until it ends."""

    __slots__ = ("_failure", "_kind", "_parent", "_started", "_token", "_tracing", "attributes", "name", "trace")

    def __init__(
        self, tracing: Tracing, name: str, parent: TraceContext | None, trace: TraceContext, kind: SpanKind
    ) -> None:
        self._tracing = tracing
        self._parent = parent
        self._kind = kind
        self._failure: str | None = None
        self._token: Token[TraceContext | None] | None = None
        self._started = time.time_ns()
        self.name = name
        self.attributes: dict[str, Any] = {}
        self.trace = trace
        if trace.sampled and tracing.enabled:
            trace.span = self._start()

    def fail(self, reason: str) -> None:
        """Marks the request as failed."""
        self._failure = reason

    def __enter__(self) -> "TracedRequest":
        self._token = current.set(self.trace)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._token is not None:
            current.reset(self._token)
        if isinstance(error, Exception):
            self._failure = type(error).__name__
        span = self.trace.span
        if span is None and self._failure and self._tracing.enabled:
            span = self._start()
        if span is not None:
            span.update_name(self.name)
            span.set_attributes(self.attributes)
            _end(span, self._failure)

    def _start(self) -> Span:
        return self._tracing.start(self.name, self.trace, self._parent, self._kind, self._started)


class _Child:
    """A recorded call; its outgoing calls carry its ids."""

    __slots__ = ("_token", "_trace")

    def __init__(self, tracing: Tracing, name: str, parent: TraceContext, attributes: dict[str, Any]) -> None:
        self._trace = begin_trace(parent, 0)
        self._trace.span = tracing.start(name, self._trace, parent, SpanKind.CLIENT)
        self._trace.span.set_attributes(attributes)

    def __enter__(self) -> None:
        self._token = current.set(self._trace)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        current.reset(self._token)
        if self._trace.span is not None:
            _end(self._trace.span, type(error).__name__ if isinstance(error, Exception) else None)


def _end(span: Span, failure: str | None) -> None:
    # Only the type of a failure is recorded: its message may contain data of a user.
    if failure:
        span.set_status(Status(StatusCode.ERROR, failure))
    span.end()


def _context(parent: TraceContext | None) -> Context:
    if parent is None:
        return Context()
    if parent.span is not None:
        return set_span_in_context(parent.span, Context())
    ids = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(ids), Context())
