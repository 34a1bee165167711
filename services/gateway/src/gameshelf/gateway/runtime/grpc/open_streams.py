"""Limits how many streams are open without a token: each one is cheap to open and costs memory while it lives."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gameshelf.gateway.runtime.errors import RateLimitExceeded

MOST_OF_ONE = 64
"""Maximum number of streams without a token per address."""
MOST = 2000
"""Maximum number of such streams in total; proxies are bound by this limit alone."""
_RETRY_AFTER_SECONDS = 60


class OpenStreams:
    """Counts streams that need no token (health that is watched, reflection) on this instance."""

    def __init__(self, most_of_one: int = MOST_OF_ONE, most: int = MOST) -> None:
        self._most_of_one = most_of_one
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def held(self, address: str | None) -> Iterator[None]:
        """Counts a stream as open during the block. ``address`` is None behind a proxy. Raises RateLimitExceeded."""
        key = address or ""
        if self._open.total() >= self._most or (address and self._open[key] >= self._most_of_one):
            raise RateLimitExceeded(_RETRY_AFTER_SECONDS)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
