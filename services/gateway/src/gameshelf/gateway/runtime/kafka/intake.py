"""Applies the records that come from a partition, defers them, or keeps them as dead letters."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.kafka.applier import Applier
from gameshelf.gateway.runtime.kafka.consumed import EventSubject
from gameshelf.gateway.runtime.kafka.deferred import NoRoom, defer_records, waiting_subjects
from gameshelf.gateway.runtime.kafka.groups import EventsOfUsers, in_groups
from gameshelf.gateway.runtime.kafka.received import KafkaRecord, ReceivedEvent
from gameshelf.gateway.runtime.kafka.structured import ConsumedRecord, structured
from gameshelf.kernel.database import Connection

_LOCK_WAIT_MILLISECONDS = 250
"""Longer than a request of the same user takes, and short enough that other users hardly notice."""
_MOST_HELD = 16
"""How many users or products of one batch may be locked by others. More means that something common is locked."""


class Intake:
    """Processes batches of partitions. ``deferred`` is called after records were deferred."""

    def __init__(self, applier: Applier, acquire: Acquire, deferred: Callable[[], None]) -> None:
        self._applier = applier
        self._acquire = acquire
        self._deferred = deferred

    async def process_batch(self, records: Sequence[ConsumedRecord]) -> None:
        """Returns once every record is applied, deferred, or a dead letter: each user's in order, several users at a
        time, those about products all together. It may be repeated. Raises failures that concern every record, and
        NoRoom.
        """
        progress = _BatchProgress(self._acquire, self._deferred)
        events = [
            event for record in map(structured, records) if (event := await self._applier.read_event(record, progress))
        ]
        users: dict[UUID, list[ReceivedEvent]] = defaultdict(list)
        products: list[ReceivedEvent] = []
        for subject_id, own in await self._in_turn(events, progress):
            if own[0].is_of_product:
                products += own
            else:
                users[subject_id] += own
        groups, alone = in_groups(users)
        async with asyncio.TaskGroup() as tasks:
            if products:
                tasks.create_task(self._applier.settle(products, progress))
            for one in alone.values():
                tasks.create_task(self._applier.settle(one, progress))
            for group in groups:
                tasks.create_task(self._settle_group(group, progress))

    async def _settle_group(self, group: EventsOfUsers, progress: "_BatchProgress") -> None:
        left = await self._applier.settle_group(group, progress)
        async with asyncio.TaskGroup() as tasks:
            for own in left.values():
                tasks.create_task(self._applier.settle(own, progress))

    async def _in_turn(
        self, events: Sequence[ReceivedEvent], progress: "_BatchProgress"
    ) -> list[tuple[UUID, list[ReceivedEvent]]]:
        """Groups events by user and product, without those that are deferred behind earlier ones. One round trip."""
        of_subject: dict[UUID, list[ReceivedEvent]] = defaultdict(list)
        for event in events:
            of_subject[event.subject_id].append(event)
        if not of_subject:
            return []
        async with self._acquire() as connection:
            waiting = await waiting_subjects(connection, of_subject.keys())
        for subject_id in waiting:
            # The end of an account never waits: earlier events have no effect any more.
            if not any(event.subject is EventSubject.ACCOUNT_END for event in of_subject[subject_id]):
                await progress.defer_behind(subject_id, [event.record for event in of_subject.pop(subject_id)])
        return list(of_subject.items())


class _BatchProgress:
    """Stores only deferred records of a batch: the committed offset marks the others as processed."""

    lock_wait_milliseconds = _LOCK_WAIT_MILLISECONDS

    def __init__(self, acquire: Acquire, deferred: Callable[[], None]) -> None:
        self._acquire = acquire
        self._deferred = deferred
        self._held: set[UUID] = set()

    async def applied(self, connection: Connection, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        pass

    async def finished(self, subject_id: UUID | None, records: Sequence[KafkaRecord]) -> None:
        pass

    async def defer(self, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        self._held.add(subject_id)
        if len(self._held) > _MOST_HELD:
            raise NoRoom
        await self.defer_behind(subject_id, records)

    async def defer_behind(self, subject_id: UUID, records: Sequence[KafkaRecord]) -> None:
        async with self._acquire() as connection:
            await defer_records(connection, subject_id, records)
        self._deferred()
