"""Writes logs to standard output, one JSON object per line."""

import json
import logging
import re
import socket
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.observability.context import current_trace
from gameshelf.gateway.runtime.observability.states import OncePerState

# Secrets that must not reach a log, also in lines of libraries: tokens, passwords in addresses, values that are named
# as secrets, signatures of URLs. No part of the pattern may scan far ahead from many positions: lines may be long.
_SECRETS = re.compile(
    r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|\b(?i:bearer)\s+[\w.~+/=-]{16,}"
    r"|(?<=://)[^\s/:@]*:[^\s/]+(?=@)"
    r"|(?i:passwd|password|secret|hash_key)[\w-]{0,32}[\"']?\s*[=:]\s*(?:\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
    r"|(?i:x-amz-signature)=\w+"
)
_QUIET = ("aiobotocore", "aiokafka", "asyncio", "botocore", "hypercorn", "quart", "grpc", "urllib3", "opentelemetry")

# For a broker that is down or a topic that is missing this library logs tens of equal lines per second.
_REPEATS_ITSELF = ("aiokafka",)

# It leaves the first connection of a client whose start was cancelled to the garbage collector, which closes it. That
# is no error of a process which ends for another reason.
_LEFT_BEHIND = "Unclosed AIOKafkaConnection"


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object. Further fields are passed in ``extra={"fields": {"http.status": 200}}``."""

    def __init__(self, service: str, instance: str) -> None:
        super().__init__()
        self._origin = {"service": service, "instance": instance}

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace()
        fields: dict[str, Any] = getattr(record, "fields", {})
        entry: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            **self._origin,
            "message": redact(record.getMessage()),
            "logger": record.name,
            "trace_id": trace.trace_id if trace else "",
            "span_id": trace.span_id if trace else "",
            **{name: redact(value) if isinstance(value, str) else value for name, value in fields.items()},
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, stack = record.exc_info
            entry["error.type"] = kind.__name__
            entry["error.message"] = redact(str(error))
            entry["error.stack"] = redact("".join(traceback.format_exception(kind, error, stack)))
        try:
            return encode(entry).decode()
        except TypeError:
            # A lone surrogate, or an object without a JSON form, must not make the line disappear.
            return json.dumps(entry, default=lambda value: redact(str(value)))


def redact(text: str) -> str:
    """Removes tokens, passwords and signatures from a text."""
    return _SECRETS.sub("[redacted]", text)


def configure_logging(level: str, service: str = "library-service", instance: str = "") -> None:
    """Writes all logs of this process to standard output as JSON, also warnings and the error that ends it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service, instance or socket.gethostname()))
    handler.addFilter(OncePerState(*_REPEATS_ITSELF))
    handler.addFilter(lambda record: record.name != "asyncio" or not str(record.msg).startswith(_LEFT_BEHIND))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _log_uncaught(kind: type[BaseException], error: BaseException, stack: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        logging.getLogger("gameshelf").critical("the process ends because of an error", exc_info=(kind, error, stack))
    else:
        sys.__excepthook__(kind, error, stack)
