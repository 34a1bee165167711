"""Origins of pages (RFC 6454), which browsers and desktop shells send as ``Origin``, and which of them are allowed."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import urlsplit

from gameshelf.gateway.runtime.observability.metrics import Metrics

_log = logging.getLogger(__name__)

NULL = "null"
"""The value that pages without an origin send, such as files and sandboxed frames. Any page can send it."""
QUIET_SECONDS = 60.0
"""How long no further refused origin is logged after one was."""
_LONGEST_LOGGED = 200
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NEVER_SENT = frozenset({"ws", "wss", "file", "data", "blob", "javascript"})
_DEVIATIONS = re.compile("[ßẞ\u03c2\u200c\u200d]")
"""Browsers keep these characters of a name (UTS 46); Python's codec replaces them (IDNA 2003): that is another host."""
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#@*,\\]+)")


def parse_origin(text: str) -> str:
    """Converts an origin to the form that browsers send: lower case, punycode, without the default port of the scheme.

    Desktop shells have schemes of their own (``tauri://localhost``, ``app://-``). Raises ValueError for values that no
    page sends: a wildcard, a path, credentials, ``ws://``, ``file://``.
    """
    if text == NULL:
        return NULL
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError("an origin is expected, like https://shop.example or tauri://localhost, without a wildcard")
    scheme, authority = shape[1].lower(), shape[2].lower()
    if scheme in _NEVER_SENT:
        raise ValueError(f"no page has an origin of {scheme}://; of a WebSocket the page's own counts, a file has null")
    if scheme not in _DEFAULT_PORTS:
        return f"{scheme}://{authority}"
    if _DEVIATIONS.search(shape[2]):
        raise ValueError("an origin of such a name is expected as browsers send it, in punycode (xn--…)")
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname or "", parts.port
        host = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except ValueError:
        raise ValueError("an origin is expected, like https://shop.example:8443") from None
    if not host:
        raise ValueError("an origin is expected, like https://shop.example")
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


class AllowedOrigins:
    """The origins whose pages may call. Refusals are counted and, at most once a minute, logged."""

    def __init__(self, origins: Iterable[str], metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = frozenset(origins)
        self._counts = metrics.origins_refused
        self._clock = clock
        self._quiet_until = float("-inf")
        self._unlogged = 0

    def __bool__(self) -> bool:
        """Returns whether any origin is allowed; then answers depend on the request's origin."""
        return bool(self._allowed)

    def __contains__(self, origin: object) -> bool:
        return origin in self._allowed

    def refuse(self, origin: str, transport: Literal["http", "websocket"]) -> None:
        """Counts and logs a call from an origin that is not allowed."""
        self._counts.labels(transport).inc()
        now = self._clock()
        if now < self._quiet_until:
            self._unlogged += 1
            return
        fields = {"http.origin": origin[:_LONGEST_LOGGED], "http.origins_refused": self._unlogged + 1}
        _log.warning(
            "a page's origin is not in CORS_ALLOWED_ORIGINS: %r", fields["http.origin"], extra={"fields": fields}
        )
        self._quiet_until, self._unlogged = now + QUIET_SECONDS, 0
