"""The connection to Redis or Valkey. Redis holds nothing that may not be lost."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from gameshelf.gateway.runtime.settings import Settings
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, Connection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

_MAX_CONNECTIONS = 64
_WAIT_SECONDS = 2.0
"""How long a caller waits for a free connection, and then for an answer."""


REDIS_ERRORS = (RedisError, RedisClusterException, OSError, AttributeError, LookupError)
"""What a call of Redis raises. The client's error for a cluster of which no node answers is no ``RedisError``.

The last two are defects of the client (8.1): while nodes of a cluster come and go, it uses connections that another
task has closed, and slots that nobody serves.
"""


def not_cancelled() -> bool:
    """Returns whether this task has not been cancelled. Loops around Redis check it in each iteration.

    The client may swallow a cancellation: ``asyncio.wait_for`` of Python 3.11 does if the answer arrives right then.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the master that the sentinels name, for which callers wait."""


async def publish_all(redis: Redis, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publishes messages to channels: one round trip and in order, except on a cluster. Raises REDIS_ERRORS."""
    if isinstance(redis, RedisCluster):
        # A cluster takes no channels in a pipeline; every node passes a message on to all of them.
        await asyncio.gather(*(redis.publish(channel, message) for channel, message in messages))
        return
    async with redis.pipeline(transaction=False) as pipe:
        for channel, message in messages:
            pipe.publish(channel, message)
        await pipe.execute()


def connect(settings: Settings) -> Redis:
    """Returns a client that connects when it is first used. It fails fast, so that callers can continue without Redis.

    For a cluster it returns a RedisCluster, which has all methods that the service uses: every script has one key, and
    a pipeline (never a transaction) may have keys of several nodes.
    """
    if settings.redis_mode == "cluster":
        return cast(Redis, _cluster(settings))
    waiting: dict[str, Any] = {"max_connections": _MAX_CONNECTIONS, "timeout": _WAIT_SECONDS, "db": settings.redis_db}
    if settings.redis_mode == "sentinel":
        # Sentinels have users and passwords of their own; most installations set none.
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            [_host_and_port(address) for address in settings.redis_addrs],
            sentinel_kwargs={**_LIMITS, **_tls(settings, "ssl")},
        )
        pool: Any = _SentinelPool(  # type: ignore[no-untyped-call]
            settings.redis_sentinel_master, sentinel, **waiting, **_identity(settings), **_tls(settings, "ssl")
        )
        return Redis.from_pool(pool)
    host, port = _host_and_port(settings.redis_addrs[0])
    kind: type[AbstractConnection] = SSLConnection if settings.redis_tls else Connection
    # A caller waits for a connection that is in use: many callers are not an outage of Redis.
    return Redis.from_pool(
        BlockingConnectionPool(
            connection_class=kind, host=host, port=port, **waiting, **_identity(settings), **_tls(settings, None)
        )
    )


def _cluster(settings: Settings) -> RedisCluster:
    nodes = [ClusterNode(*_host_and_port(address)) for address in settings.redis_addrs]
    return RedisCluster(
        startup_nodes=nodes,
        # The pool of a node raises an error instead of waiting, so its bound is larger than the number of callers.
        max_connections=16 * _MAX_CONNECTIONS,
        cluster_error_retry_attempts=1,
        # A slot that is missing when the client asks for all of them would be missing for it for ever.
        require_full_coverage=True,
        # Always asked at the configured addresses: those that nodes announce may all have changed at once.
        dynamic_startup_nodes=False,
        **_identity(settings),
        **_tls(settings, "ssl"),
    )


_LIMITS: dict[str, Any] = {"socket_connect_timeout": 1.0, "socket_timeout": 2.0}


def _identity(settings: Settings) -> dict[str, Any]:
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    return {"username": settings.redis_username, "password": password, "retry": Retry(NoBackoff(), 1), **_LIMITS}


def _tls(settings: Settings, switch: str | None) -> dict[str, Any]:
    """Returns the options for TLS. ``switch`` is the option that enables it, if the connection class does not."""
    if not settings.redis_tls:
        return {}
    files = {"ssl_ca_certs": str(settings.redis_ca_file)} if settings.redis_ca_file else {}
    return {**files, **({switch: True} if switch else {})}


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
