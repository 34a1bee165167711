"""How the parts that this process depends on are."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gameshelf.gateway.migrate import SchemaOutdated, require_current
from gameshelf.gateway.outbox import store

if TYPE_CHECKING:
    from gameshelf.gateway.wiring import Gateway

_SECONDS = 2.0


class Health:
    """Answers ``/health/ready``: 503 only for PostgreSQL, an old schema, or draining."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    async def ready(self) -> tuple[bool, dict[str, str]]:
        """Whether to send requests here, and the state of each part."""
        settings = self._gateway.settings
        s3 = (settings.s3_endpoint,) if settings.s3_endpoint else ()
        named = {name: known for name, known in (("kafka", settings.kafka_brokers), ("s3", s3)) if known}
        serving, redis, *others = await asyncio.gather(
            self._postgres(), _works(self._ping_redis()), *(_any_listens(known) for known in named.values())
        )
        parts = {"postgresql": "ok" if serving else "failed", "redis": _state(redis)}
        parts |= {name: _state(works) for name, works in zip(named, others, strict=True)}
        return serving and not self._gateway.stopping.is_set(), parts

    async def measure(self) -> None:
        """Brings the gauges up to date."""
        metrics, pool = self._gateway.metrics, self._gateway.pool
        metrics.websocket_connections.set(len(self._gateway.hub))
        metrics.pool_size.set(pool.get_size())
        metrics.pool_idle.set(pool.get_idle_size())
        async with self._gateway.acquire() as connection:
            pending, lag = await store.backlog(connection)
        metrics.outbox_pending.set(pending)
        metrics.outbox_lag_seconds.set(lag)

    async def _postgres(self) -> bool:
        from gameshelf.gateway.wiring import MIGRATIONS

        return await _works(self._current(MIGRATIONS))

    async def _current(self, migrations: tuple[object, ...]) -> None:
        async with self._gateway.acquire() as connection:
            await require_current(connection, migrations)  # type: ignore[arg-type]

    async def _ping_redis(self) -> None:
        await self._gateway.redis.ping()


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
    url = urlsplit(address if "://" in address else f"//{address}")
    port = url.port or (443 if url.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(url.hostname, port)
    writer.close()


def _state(works: bool) -> str:
    return "ok" if works else "degraded"
