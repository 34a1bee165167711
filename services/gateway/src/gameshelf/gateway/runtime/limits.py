"""Rate limits: a count per minute in Redis, shared by all instances.

An instance counts for itself as well. That local count alone decides while Redis is slow or away, and a caller that
exceeds the limit by it is refused without asking Redis again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from uuid import UUID

from gameshelf.gateway.runtime.errors import RateLimitExceeded
from gameshelf.gateway.runtime.identity.proxies import lies_in, parse_address
from gameshelf.gateway.runtime.local_counts import LocalCounts
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from redis.asyncio import Redis

_log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0
"""How long Redis is not used after it failed: a Redis that hangs must not slow down every request."""
_AT_ONCE = 32
"""How many counts use Redis at the same time, half of the connections. The others wait for their turn, which is not a
failure of Redis: the time-out begins with the turn."""


_CLIENT_BITS = 64
"""Length of the prefix that identifies an IPv6 client: each subscriber has at least 2^64 addresses."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 clients of a service that is reached over IPv6 only (RFC 6052): each one is counted separately."""


def counted_as(address: str) -> str:
    """Returns the key that requests from a socket's address are counted under, the same for all forms of the address.

    >>> counted_as("2001:db8:0:1:aa::1"), counted_as("::ffff:192.0.2.1"), counted_as("fe80::1%eth0")
    ('2001:db8:0:1::/64', '192.0.2.1', 'fe80::/64')
    """
    parsed = parse_address(address)
    if not isinstance(parsed, IPv6Address):
        return str(parsed or address)
    if parsed in _TRANSLATED:
        return str(IPv4Address(int(parsed) & 0xFFFF_FFFF))
    return str(IPv6Network((int(parsed), _CLIENT_BITS), strict=False))


class RateLimits:
    """Limits of requests per minute; 0 means no limit, and then Redis is not used.

    An address in ``proxies`` belongs to many clients, so it is not counted. IPv6 addresses are counted by network.
    """

    def __init__(
        self,
        redis: Redis,
        per_user: int,
        per_ip: int,
        per_service: int,
        metrics: Metrics,
        tracing: Tracing,
        proxies: Sequence[IPv4Network | IPv6Network] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._per_user = per_user
        self._per_ip = per_ip
        self._per_service = per_service
        self._metrics = metrics
        self._tracing = tracing
        self._proxies = tuple(proxies)
        self._monotonic = monotonic
        self._away_until = 0.0
        self._is_away = False
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._local = LocalCounts()

    async def of_user(self, user_id: UUID) -> dict[str, str]:
        """Counts a player's request; returns the ``X-RateLimit-…`` headers. Raises RateLimitExceeded with them."""
        return await self._count("user", str(user_id), self._per_user)

    async def of_address(self, address: str) -> dict[str, str]:
        """Counts a request from a network address. Raises RateLimitExceeded."""
        client = self.client_of(address) if self._per_ip else None
        return await self._count("ip", client, self._per_ip) if client is not None else {}

    def client_of(self, address: str) -> str | None:
        """Returns the key that an address is counted under; None for a proxy's, which has many clients."""
        return None if lies_in(address, self._proxies) else counted_as(address)

    async def of_service(self, name: str) -> dict[str, str]:
        """Counts another service's call. Raises RateLimitExceeded."""
        return await self._count("service", name, self._per_service)

    async def _count(self, kind: str, who: str, limit: int) -> dict[str, str]:
        if not limit:
            return {}
        now = int(time.time())
        window = now // WINDOW_SECONDS
        reset = (window + 1) * WINDOW_SECONDS - now
        key = f"limit:{kind}:{who}"
        used = self._local.add(key, window)
        if used <= limit:
            used = max(used, await self._shared(f"{key}:{window}"))
            self._local.raise_to(key, window, used)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - used, 0)),
            "X-RateLimit-Reset": str(reset),
        }
        if used > limit:
            raise RateLimitExceeded(reset, headers)
        return headers

    async def _shared(self, key: str) -> int:
        """Counts in Redis; returns the count of all instances, 0 while Redis does not answer."""
        async with self._turns:
            if self._monotonic() < self._away_until:
                return 0
            try:
                used = await self._ask(key)
            except REDIS_ERRORS as error:
                self._away_until = self._monotonic() + _PAUSE_SECONDS
                self._metrics.dependency_errors.labels("redis").inc()
                if not self._is_away:
                    self._is_away = True
                    _log.warning("Redis is away, this instance limits by its own counts: %s", type(error).__name__)
                return 0
            if self._is_away:
                self._is_away = False
                _log.info("Redis is back, limits are shared again")
            return used

    async def _ask(self, key: str) -> int:
        with self._tracing.child("redis", **{"db.system.name": "redis"}):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._redis.pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                used: int = (await pipe.execute())[0]
        return used
