"""The connection to Redis or Valkey. Everything in it can be lost."""

import asyncio

from gameshelf.gateway.settings import Settings
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import AbstractConnection, Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_MAX_CONNECTIONS = 64
_WAIT_SECONDS = 2.0
"""How long a caller waits for a connection, as long as for an answer."""


def goes_on() -> bool:
    """Whether this task has not been cancelled. A loop around Redis asks it at each turn.

    The client may swallow a cancellation: ``asyncio.wait_for`` of Python 3.11 does when the answer comes just then.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()


def connect(settings: Settings) -> Redis:
    """A client that connects when it is first used. It fails fast: what needs Redis does without it meanwhile."""
    host, _, port = settings.redis_addr.rpartition(":")
    kind: type[AbstractConnection] = SSLConnection if settings.redis_tls else Connection
    return Redis.from_pool(
        # A caller waits for a connection that is in use: many callers are not an outage of Redis.
        BlockingConnectionPool(
            connection_class=kind,
            max_connections=_MAX_CONNECTIONS,
            timeout=_WAIT_SECONDS,
            host=host or settings.redis_addr,
            port=int(port) if host else 6379,
            password=settings.redis_password.get_secret_value() if settings.redis_password else None,
            db=settings.redis_db,
            socket_connect_timeout=1.0,
            socket_timeout=2.0,
            retry=Retry(NoBackoff(), 1),
        )
    )
