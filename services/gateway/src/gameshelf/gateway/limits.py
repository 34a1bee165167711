"""Rate limits: a count a minute in Redis, shared by all instances. Without Redis nobody is limited."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

from gameshelf.gateway.errors import RateLimitExceeded
from gameshelf.gateway.identity.proxies import lies_in
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.traces import Tracing
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0
"""How long Redis is not asked again after it failed: a Redis that hangs must not slow down every request."""


class RateLimits:
    """How many requests a minute; 0 means no limit, and then Redis is not asked.

    An address in ``proxies`` is not one client's, so it is not counted.
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

    async def of_user(self, user_id: UUID) -> dict[str, str]:
        """Counts a player's request; the ``X-RateLimit-…`` headers. Raises RateLimitExceeded, which has them too."""
        return await self._count("user", str(user_id), self._per_user)

    async def of_address(self, address: str) -> dict[str, str]:
        """Counts a request from a network address. Raises RateLimitExceeded."""
        if self._per_ip and lies_in(address, self._proxies):
            return {}
        return await self._count("ip", address, self._per_ip)

    async def of_service(self, name: str) -> dict[str, str]:
        """Counts another service's call. Raises RateLimitExceeded."""
        return await self._count("service", name, self._per_service)

    async def _count(self, kind: str, who: str, limit: int) -> dict[str, str]:
        if not limit or self._monotonic() < self._away_until:
            return {}
        now = int(time.time())
        window = now // WINDOW_SECONDS
        reset = (window + 1) * WINDOW_SECONDS - now
        try:
            used = await self._used(f"limit:{kind}:{who}:{window}")
        except (RedisError, OSError) as error:
            self._away_until = self._monotonic() + _PAUSE_SECONDS
            self._metrics.dependency_errors.labels("redis").inc()
            _log.warning("Redis is away, nobody is limited meanwhile: %s", type(error).__name__)
            return {}
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - used, 0)),
            "X-RateLimit-Reset": str(reset),
        }
        if used > limit:
            raise RateLimitExceeded(reset, headers)
        return headers

    async def _used(self, key: str) -> int:
        with self._tracing.child("redis", **{"db.system.name": "redis"}):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._redis.pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                used: int = (await pipe.execute())[0]
        return used
