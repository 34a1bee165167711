"""Publishes the outbox to Kafka, each topic by itself (``lane.py``).

Kafka has no order across topics. So the order of each user's records is kept within a topic, and a topic that Kafka
refuses delays only its own records.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.gateway.runtime.kafka.lane import Lane
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox import refused, relayed

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 0.1
_OTHERS_SECONDS = 1.0
"""How often topics besides those of the settings are looked for. That walks over the entries of all records that were
sent since the last VACUUM.
"""
_OTHERS_AT_ONCE = 4
"""How many topics are served at a time besides those of the settings: each needs two connections."""
_FAILING_AT_ONCE = 2
"""How many of them may have failed the last time: another failure takes up to ten seconds."""
_MOST_LANES = 200
_MAX_BYTES = 1024 * 1024


class Relay:
    """Publishes the outbox. Any number of instances may do so at a time.

    ``topics`` are those of the settings: each is served at any time. Other topics in the outbox share a few places: a
    replayed event goes to its producer's topic.
    """

    def __init__(
        self,
        options: dict[str, Any],
        idempotent: bool,
        topics: Collection[str],
        acquire: Acquire,
        metrics: Metrics,
        tracing: Tracing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._idempotent = idempotent
        self._topics = list(topics)
        self._acquire = acquire
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._states = StateLog(_log)
        self._woken = asyncio.Event()
        self._lanes: dict[str, Lane] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._cursor = ""
        self._others_at = clock()

    def wake(self) -> None:
        """Wakes the relay, because records were just added to the outbox."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Publishes until ``stopping`` is set; then finishes the current sends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while not stopping.is_set():
                    for topic in await self._waiting():
                        if self._may_start(topic):
                            self._running[topic] = tasks.create_task(self._serve(topic, stopping))
                    await self._idle()
        finally:
            await asyncio.gather(*(lane.close() for lane in self._lanes.values()), return_exceptions=True)

    async def return_refused(self) -> None:
        """Puts records that Kafka refused an hour ago back into the outbox, since its limits may have been changed."""
        async with self._acquire() as connection:
            await refused.put_back(connection)
            self._metrics.outbox_refused.set(await refused.count_refused(connection))

    async def _waiting(self) -> list[str]:
        """Returns topics that have records and are not served already; none while PostgreSQL is away."""
        idle = [topic for topic in self._topics if topic not in self._running]
        is_time = self._clock() >= self._others_at
        if not idle and not is_time:
            return []
        try:
            async with self._acquire() as connection:
                own, others = await relayed.topics(connection, idle, self._cursor if is_time else None)
        except Exception as error:
            self._metrics.dependency_errors.labels("postgresql").inc()
            unknown = None if is_passing(error) else error
            self._states.begin(
                "postgresql", "PostgreSQL is away, the outbox waits: %s", type(error).__name__, error=unknown
            )
            await asyncio.sleep(1.0)
            return []
        self._states.end("postgresql", "PostgreSQL is back")
        if is_time:
            self._others_at = self._clock() + _OTHERS_SECONDS
            self._cursor = others[-1] if len(others) == relayed.OTHERS_AT_ONCE else ""
        return [*own, *(topic for topic in others if topic not in own)]

    def _may_start(self, topic: str) -> bool:
        if topic in self._running:
            return False
        lane = self._lane(topic)
        if not lane.is_due or topic in self._topics:
            return lane.is_due
        others = [self._lanes[one] for one in self._running if one not in self._topics]
        failing = sum(one.is_failing for one in others)
        return len(others) < _OTHERS_AT_ONCE and not (lane.is_failing and failing >= _FAILING_AT_ONCE)

    def _lane(self, topic: str) -> Lane:
        lane = self._lanes.get(topic)
        if lane is None:
            idle = [
                name
                for name, one in self._lanes.items()
                if not (name in self._running or name in self._topics or one.is_sending)
            ]
            for name in idle[: max(len(self._lanes) - _MOST_LANES, 0)]:
                del self._lanes[name]  # its producer is closed
            lane = Lane(topic, self._producer, self._acquire, self._metrics, self._tracing, self._states)
            self._lanes[topic] = lane
        return lane

    async def _serve(self, topic: str, stopping: asyncio.Event) -> None:
        lane = self._lanes[topic]
        try:
            await lane.drain(stopping)
            if topic not in self._topics and not lane.is_sending:
                await lane.close()
        except Exception:
            _log.exception("a lane of the relay failed")
        finally:
            del self._running[topic]

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._options,
            acks="all",
            enable_idempotence=self._idempotent,
            max_batch_size=_MAX_BYTES,
            max_request_size=2 * _MAX_BYTES,
            metadata_max_age_ms=10_000,
        )

    async def _idle(self) -> None:
        started = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._woken.wait()
        self._woken.clear()
        # Under steady load it is woken constantly, although the lanes run anyway.
        if self._running and (early := _IDLE_SECONDS / 2 - (time.monotonic() - started)) > 0:
            await asyncio.sleep(early)
