"""Rate limits: a count a minute in Redis, shared by all instances. Without Redis nobody is limited."""

import logging
import time
from uuid import UUID

from gameshelf.gateway.errors import RateLimitExceeded
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

WINDOW_SECONDS = 60


class RateLimits:
    """How many requests a minute; 0 means no limit, and then Redis is not asked."""

    def __init__(self, redis: Redis, per_user: int, per_ip: int, per_service: int) -> None:
        self._redis = redis
        self._per_user = per_user
        self._per_ip = per_ip
        self._per_service = per_service

    async def of_user(self, user_id: UUID) -> dict[str, str]:
        """Counts a player's request; the ``X-RateLimit-…`` headers. Raises RateLimitExceeded."""
        return await self._count("user", str(user_id), self._per_user)

    async def of_address(self, address: str) -> dict[str, str]:
        """Counts a request from a network address. Raises RateLimitExceeded."""
        return await self._count("ip", address, self._per_ip)

    async def of_service(self, name: str) -> dict[str, str]:
        """Counts another service's call. Raises RateLimitExceeded."""
        return await self._count("service", name, self._per_service)

    async def _count(self, kind: str, who: str, limit: int) -> dict[str, str]:
        if not limit:
            return {}
        now = int(time.time())
        window = now // WINDOW_SECONDS
        reset = (window + 1) * WINDOW_SECONDS - now
        key = f"limit:{kind}:{who}:{window}"
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                used: int = (await pipe.execute())[0]
        except (RedisError, OSError):
            _log.warning("Redis is away: nobody is limited meanwhile")
            return {}
        if used > limit:
            raise RateLimitExceeded(retry_after=reset)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - used),
            "X-RateLimit-Reset": str(reset),
        }
