"""Checks the dependencies of this process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from gameshelf.gateway.runtime import backups
from gameshelf.gateway.runtime.database import Database
from gameshelf.gateway.runtime.kafka.probe import KafkaProbe
from gameshelf.gateway.runtime.migrate import SchemaOutdated, require_current
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox import backlog
from gameshelf.gateway.runtime.probes import connects
from gameshelf.gateway.runtime.replaced import ReplacedDatabase
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.kernel.migrations import Migrations
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ResponseError

ReadinessCheck = Callable[[], Awaitable[str | None]]
"""Returns what is wrong with a dependency, or None. OSError: it can't be reached."""
OWN_CHECKS = frozenset({"postgresql", "redis", "kafka"})
_SECONDS = 2.0
_FRESH_SECONDS = 1.0
"""How long an answer is cached, since clients may request it at any rate."""
_IS_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
_NO_ANSWER = "it can't be reached, or does not answer in time"
_TAKES_NO_WRITES = "it accepts no writes: reads are served, writes are answered with 503"
_IS_ANOTHER = "another database replaced it, and nothing is deleted until that is marked"
_REFUSES = "it refuses writes of events: a permission or a table may be missing"
_PROBES = ("health:one", "health:two")
"""Keys of two slots: a cluster refuses both in one command."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this instance can serve requests, the state of each part, and the reasons.

    A part is ``ok``, ``degraded`` or ``failed``; PostgreSQL may also be ``replaced``.
    """

    is_serving: bool
    parts: dict[str, str]
    reasons: dict[str, str]
    """Part that is not ok → the reason, without addresses."""


class Health:
    """Answers ``/health/ready``: 503 only for PostgreSQL, an old schema, or draining."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        redis: Redis,
        kafka: KafkaProbe | None,
        hub: Hub,
        metrics: Metrics,
        migrations: Sequence[Migrations],
        replaced: ReplacedDatabase,
        draining: asyncio.Event,
        refuses_records: Callable[[], bool],
        checks: Mapping[str, ReadinessCheck],
        measures: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        """``refuses_records`` returns whether the consumer waits because PostgreSQL refuses its writes; ``checks``
        return the problems of the domains' dependencies, None if there is none; ``measures`` set the domains' gauges.
        """
        self._settings = settings
        self._database = database
        self._redis = redis
        self._kafka = kafka
        self._hub = hub
        self._metrics = metrics
        self._migrations = migrations
        self._replaced = replaced
        self._draining = draining
        self._refuses_records = refuses_records
        self._domain_checks = checks
        self._measures = measures
        self._checking = asyncio.Lock()
        self._states: dict[str, tuple[str, str | None]] = {}
        self._checked_at = -_FRESH_SECONDS

    async def ready(self) -> Readiness:
        """Returns the state of all parts, at most a second old. Concurrent callers share the answer."""
        async with self._checking:
            if time.monotonic() - self._checked_at >= _FRESH_SECONDS:
                self._states = await self._check()
                self._checked_at = time.monotonic()
        states = self._states
        return Readiness(
            states["postgresql"][0] != "failed" and not self._draining.is_set(),
            {name: state for name, (state, _) in states.items()},
            {name: reason for name, (_, reason) in states.items() if reason},
        )

    async def _check(self) -> dict[str, tuple[str, str | None]]:
        checks: dict[str, Awaitable[str | None]] = {"postgresql": self._postgres(), "redis": self._redis_problem()}
        if self._kafka:
            checks["kafka"] = self._kafka_problem(self._kafka)
        checks |= {name: check() for name, check in self._domain_checks.items()}
        found = await asyncio.gather(*(_checked(check) for check in checks.values()))
        states = {name: ("degraded" if reason else "ok", reason) for name, reason in zip(checks, found, strict=True)}
        reason = states["postgresql"][1]
        if reason and reason != _TAKES_NO_WRITES:
            states["postgresql"] = ("failed", reason)
        elif self._replaced.reason:
            states["postgresql"] = ("replaced", _IS_ANOTHER)
        elif not reason and self._refuses_records():
            states["postgresql"] = ("degraded", _REFUSES)
        for name, (state, _) in states.items():
            # A database that replaced another one serves: ``database_replaced`` is about it.
            self._metrics.dependency_up.labels(name).set(state in ("ok", "replaced"))
        return states

    async def measure(self) -> None:
        """Updates the gauges."""
        self._metrics.websocket_connections.set(len(self._hub))
        self._measure_pool(self._database.size, self._database.idle)
        measured = await asyncio.gather(
            self._measure_outbox(), *(measure() for measure in self._measures), return_exceptions=True
        )
        for failure in measured:
            if failure:
                raise failure

    async def measure_dependencies(self) -> None:
        """Updates the gauge of each dependency, also in processes that nobody asks for their readiness."""
        await self.ready()

    def _measure_pool(self, size: int, idle: int) -> None:
        self._metrics.pool_size.set(size)
        self._metrics.pool_idle.set(idle)
        self._metrics.pool_in_use.set(size - idle)
        self._metrics.pool_waiting.set(self._database.waiting)
        self._metrics.pool_limit.set(self._database.limit)

    async def _measure_outbox(self) -> None:
        async with self._database.acquire() as connection:
            waiting = await backlog.measure(connection)
            ages = await backups.ages(connection)
        self._metrics.backups.measured(ages)
        self._metrics.outbox_pending.set(waiting.pending)
        self._metrics.outbox_lag_seconds.set(waiting.lag_seconds)

    async def _postgres(self) -> str | None:
        async with self._database.acquire() as connection:
            await require_current(connection, self._migrations)
            return _TAKES_NO_WRITES if await connection.fetchval(_IS_READ_ONLY) else None

    async def _redis_problem(self) -> str | None:
        """Checks Redis by a write and a read: a replica, a user without permissions, and a cluster that is configured
        as a single server would all answer PING.
        """
        try:
            await self._redis.set(_PROBES[0], 1, ex=60)
            await self._redis.exists(*_PROBES)
        except AuthenticationError:
            return "the login is refused"
        except ResponseError as error:
            return f"commands are refused ({type(error).__name__})"
        return None

    async def _kafka_problem(self, kafka: KafkaProbe) -> str | None:
        with suppress(TimeoutError, OSError, KafkaError):
            async with asyncio.timeout(_SECONDS * 0.75):
                return await kafka.problem()
        if await _any_listens(self._settings.kafka_brokers):
            return "a broker is there, but can't be used: the login, TLS or the protocol, or it does not answer"
        return _NO_ANSWER


async def _checked(check: Awaitable[str | None]) -> str | None:
    """Returns the problem of a part; None if there is none."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await check
    except SchemaOutdated:
        return "the schema is older than this release"
    except Exception:
        return _NO_ANSWER


async def _works(check: Awaitable[None]) -> bool:
    with suppress(Exception):
        async with asyncio.timeout(_SECONDS / 4):
            await check
        return True
    return False


async def _any_listens(addresses: Sequence[str]) -> bool:
    """Returns whether one server of a cluster listens: the others may be down for maintenance."""
    return any(await asyncio.gather(*(_works(connects(address)) for address in addresses)))
