"""Logs: one JSON object a line on standard output."""

import logging
import re
import socket
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from gameshelf.gateway.encoding import encode
from gameshelf.gateway.observability.traces import current_trace

# A token, or the password in an address: neither may reach a log, whoever wrote the line.
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=://)([^:/@\s]*):[^@/\s]+(?=@)|(?i:bearer)\s+\S+|(?i:(?:password|secret)[\"']?\s*[=:]\s*)\S+"
)
_QUIET = ("aiokafka", "asyncio", "hypercorn", "quart", "grpc", "urllib3", "opentelemetry")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object. Fields beyond the usual ones come in ``extra={"fields": {"http.status": 200}}``."""

    def __init__(self, service: str, instance: str) -> None:
        super().__init__()
        self._origin = {"service": service, "instance": instance}

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace()
        entry: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            **self._origin,
            "message": redact(record.getMessage()),
            "logger": record.name,
            "trace_id": trace.trace_id if trace else "",
            "span_id": trace.span_id if trace else "",
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, stack = record.exc_info
            entry["error.type"] = kind.__name__
            entry["error.message"] = redact(str(error))
            entry["error.stack"] = redact("".join(traceback.format_exception(kind, error, stack)))
        return encode(entry).decode()


def redact(text: str) -> str:
    """The text without tokens and passwords."""
    return _SECRETS.sub("[redacted]", text)


def configure_logging(level: str, service: str = "library-service", instance: str = "") -> None:
    """Sends every log of this process to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service, instance or socket.gethostname()))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
