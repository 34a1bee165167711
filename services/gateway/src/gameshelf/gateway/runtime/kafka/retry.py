"""Applies deferred records; any number of instances may do so at a time."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.kafka.applier import Applier
from gameshelf.gateway.runtime.kafka.deferred import deferred_of, due_subjects, postpone, remove_deferred
from gameshelf.gateway.runtime.kafka.received import KafkaRecord, ReceivedEvent
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.kernel.database import Connection

_log = logging.getLogger(__name__)

_LOCK_WAIT_MILLISECONDS = 50
_AT_A_TIME = 32
_SIDE_BY_SIDE = 2
_PART = 200
"""How many records of a user or product are applied in one transaction."""
_SOON_SECONDS = 0.25
_IDLE_SECONDS = 1.0
"""How often to look for records that other instances deferred."""


class Retry:
    """Applies deferred records, in order for each user and product.

    Two instances may try the same records: the inbox knows what was applied.
    """

    def __init__(self, applier: Applier, acquire: Acquire, metrics: Metrics) -> None:
        self._applier = applier
        self._acquire = acquire
        self._metrics = metrics
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._states = StateLog(_log)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Wakes the job, because records were deferred just now."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Runs until ``stopping`` is set, however often PostgreSQL is away."""
        seconds = _IDLE_SECONDS
        while not stopping.is_set():
            try:
                seconds = _SOON_SECONDS if await self.run_once() else _IDLE_SECONDS
                self._states.end("postgresql", "deferred records are tried again")
            except Exception as error:
                self._metrics.dependency_errors.labels("postgresql").inc()
                self._states.begin("postgresql", "deferred records wait: %s", type(error).__name__)
                seconds = _IDLE_SECONDS
            await _either(stopping, self._woken, seconds)
            self._woken.clear()

    async def run_once(self) -> bool:
        """Applies due records; returns whether there were any. Raises failures that concern every record."""
        async with self._acquire() as connection:
            subjects = await due_subjects(connection, _AT_A_TIME)
        results = await asyncio.gather(*map(self._try, subjects), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(subjects)

    async def _try(self, subject_id: UUID) -> None:
        async with self._slots:
            async with self._acquire() as connection:
                records = await deferred_of(connection, subject_id, _PART)
            progress = _DeferredProgress(self._acquire, subject_id)
            events: dict[bool, list[ReceivedEvent]] = {False: [], True: []}
            for record in records:
                event = await self._applier.read_event(record, progress)
                if event:
                    events[event.is_of_product].append(event)
            for alike in events.values():
                if alike:
                    await self._applier.settle(alike, progress)


class _DeferredProgress:
    """Deletes deferred records in the transaction that applies them."""

    lock_wait_milliseconds = _LOCK_WAIT_MILLISECONDS

    def __init__(self, acquire: Acquire, subject_id: UUID) -> None:
        self._acquire = acquire
        self._subject_id = subject_id

    async def applied(self, connection: Connection, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        await remove_deferred(connection, self._subject_id, records)

    async def finished(self, subject_id: UUID | None, records: Sequence[KafkaRecord]) -> None:
        async with self._acquire() as connection:
            await remove_deferred(connection, self._subject_id, records)

    async def defer(self, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        async with self._acquire() as connection:
            await postpone(connection, self._subject_id)


async def _either(first: asyncio.Event, second: asyncio.Event, seconds: float) -> None:
    """Waits until one of them is set, at most so long."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (first, second)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
