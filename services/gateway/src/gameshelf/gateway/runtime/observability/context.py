"""The trace context of a request: ids that every request has, sampled or not, and their W3C form."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random

from opentelemetry.trace import Span

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_random = Random(os.urandom(16))  # noqa: S311 - ids of traces are no secrets


@dataclass(slots=True)
class TraceContext:
    """Ids in lower-case hex, 32 and 16 digits; ``span`` only where one is being recorded."""

    trace_id: str
    span_id: str
    sampled: bool
    span: Span | None = None

    def traceparent(self) -> str:
        """Returns the W3C header for outgoing calls."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def current_trace() -> TraceContext | None:
    """Returns the trace of the current request or job."""
    return current.get()


def current_trace_id() -> str:
    """Returns the id of the current trace, which users report to support; empty outside of a request."""
    trace = current.get()
    return trace.trace_id if trace else ""


def current_traceparent() -> str | None:
    """Returns the W3C traceparent for outgoing calls; None outside of a request."""
    trace = current.get()
    return trace.traceparent() if trace else None


def begin_trace(parent: TraceContext | None, share: float) -> TraceContext:
    """Begins a new span of the parent's trace, which is sampled if the parent is. Without a parent ``share`` of the
    traces are sampled.
    """
    span_id = f"{_random.getrandbits(64) or 1:016x}"
    if parent:
        return TraceContext(parent.trace_id, span_id, parent.sampled)
    return TraceContext(f"{_random.getrandbits(128) or 1:032x}", span_id, _random.random() < share)


def parse_traceparent(header: str) -> TraceContext | None:
    """Parses a W3C traceparent; returns None for anything else, so that a new trace begins."""
    found = _TRACEPARENT.fullmatch(header.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # Only later versions may have more fields. Ids of only zeros are invalid.
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))
