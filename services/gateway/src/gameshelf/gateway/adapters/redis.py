"""The connection to Redis or Valkey. Everything in it can be lost."""

import asyncio

from gameshelf.gateway.settings import Settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def goes_on() -> bool:
    """Whether this task has not been cancelled. A loop around Redis asks it at each turn.

    The client may swallow a cancellation: ``asyncio.wait_for`` of Python 3.11 does when the answer comes just then.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()


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
