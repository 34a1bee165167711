"""How the parts that this process depends on are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from gameshelf.gateway.adapters.live_sessions import LiveSessions
from gameshelf.gateway.database import Database
from gameshelf.gateway.migrate import SchemaOutdated, require_current
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.outbox import store
from gameshelf.gateway.replaced import ReplacedDatabase
from gameshelf.gateway.settings import Settings
from gameshelf.gateway.ws.hub import Hub
from gameshelf.kernel.migrations import Migrations
from redis.asyncio import Redis

_SECONDS = 2.0


class Health:
    """Answers ``/health/ready``: 503 only for PostgreSQL, an old schema, or draining."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        redis: Redis,
        live: LiveSessions,
        hub: Hub,
        metrics: Metrics,
        migrations: Sequence[Migrations],
        replaced: ReplacedDatabase,
        draining: asyncio.Event,
        refuses_records: Callable[[], bool],
    ) -> None:
        """``refuses_records`` says whether the consumer waits since PostgreSQL refuses what it writes."""
        self._settings = settings
        self._database = database
        self._redis = redis
        self._live = live
        self._hub = hub
        self._metrics = metrics
        self._migrations = migrations
        self._replaced = replaced
        self._draining = draining
        self._refuses_records = refuses_records

    async def ready(self) -> tuple[bool, dict[str, str]]:
        """Whether to send requests here, and the state of each part."""
        settings = self._settings
        others = {
            "kafka": _any_listens(settings.kafka_brokers) if settings.kafka_brokers else None,
            "s3": _works(_answers(settings.s3_url)) if settings.s3_url else None,
        }
        named = {name: check for name, check in others.items() if check}
        serving, redis, *found = await asyncio.gather(self._postgres(), _works(self._ping_redis()), *named.values())
        parts = {"postgresql": self._state_of_postgres(serving), "redis": _state(redis)}
        parts |= {name: _state(works) for name, works in zip(named, found, strict=True)}
        return serving and not self._draining.is_set(), parts

    async def measure(self) -> None:
        """Brings the gauges up to date."""
        self._metrics.websocket_connections.set(len(self._hub))
        self._metrics.pool_size.set(self._database.size)
        self._metrics.pool_idle.set(self._database.idle)
        async with self._database.acquire() as connection:
            pending, lag = await store.backlog(connection)
        self._metrics.outbox_pending.set(pending)
        self._metrics.outbox_lag_seconds.set(lag)
        self._metrics.active_sessions.set(await self._live.count())

    def _state_of_postgres(self, serving: bool) -> str:
        if not serving:
            return "failed"
        return "replaced" if self._replaced.reason else _state(not self._refuses_records())

    async def _postgres(self) -> bool:
        return await _works(self._schemas_fit())

    async def _schemas_fit(self) -> None:
        async with self._database.acquire() as connection:
            await require_current(connection, self._migrations)

    async def _ping_redis(self) -> None:
        await self._redis.ping()


async def _works(check: Awaitable[None]) -> bool:
    with suppress(Exception, SchemaOutdated):
        await asyncio.wait_for(check, _SECONDS)
        return True
    return False


async def _any_listens(addresses: Sequence[str]) -> bool:
    """Whether one of a cluster's servers is there: the others may be down for maintenance."""
    return any(await asyncio.gather(*(_works(_connect(address)) for address in addresses)))


async def _connect(address: str) -> None:
    """Opens a connection and closes it again: enough to tell that somebody listens."""
    url = urlsplit(f"//{address}")
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.close()


async def _answers(address: str) -> None:
    """Asks for anything: whatever the answer is, somebody serves. Of a server that hangs the kernel still takes
    connections.
    """
    url = urlsplit(address)
    is_secure = url.scheme == "https"
    reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if is_secure else 80), ssl=is_secure)
    try:
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        await reader.readexactly(1)
    finally:
        writer.close()


def _state(works: bool) -> str:
    return "ok" if works else "degraded"
