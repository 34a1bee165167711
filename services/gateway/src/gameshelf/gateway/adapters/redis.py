"""The connection to Redis or Valkey. Everything in it can be lost."""

from gameshelf.gateway.settings import Settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(settings: Settings) -> Redis:
    """A client that connects when it is first used. It fails fast: what needs Redis does without it meanwhile."""
    host, _, port = settings.redis_addr.rpartition(":")
    return Redis(
        host=host or settings.redis_addr,
        port=int(port) if host else 6379,
        password=settings.redis_password.get_secret_value() if settings.redis_password else None,
        db=settings.redis_db,
        ssl=settings.redis_tls,
        socket_connect_timeout=1.0,
        socket_timeout=2.0,
        retry=Retry(NoBackoff(), 1),
        max_connections=64,
    )
