"""Held partitions: those of a topic that have no leader, refuse records, or do not answer.

Each has a back-off of its own. The keys of its records are remembered, so that the query of the outbox skips them. The
partition, and not the key, decides whether a record may be sent.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gameshelf.gateway.runtime.kafka.sending import SendOutcome

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
MOST_KEYS = 10_000
"""How many keys are remembered. Beyond that, records behind those that wait may have to wait too."""


@dataclass
class HeldPartition:
    """A partition that failed, or that has not answered yet."""

    keys: set[str] = field(default_factory=set)
    sending: "asyncio.Task[SendOutcome] | None" = None
    """The records that were sent and not answered yet; nothing else is sent meanwhile."""
    pause: float = FIRST_PAUSE
    retry_at: float = 0.0
    has_failed: bool = False


class HeldPartitions:
    """The held partitions of one topic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[int, HeldPartition] = {}

    def __contains__(self, partition: int) -> bool:
        return partition in self._held

    def __len__(self) -> int:
        return len(self._held)

    @property
    def keys(self) -> list[str]:
        """The remembered keys of records that wait."""
        return [key for held in self._held.values() for key in held.keys]

    @property
    def failing(self) -> list[int]:
        """Partitions whose last attempt failed."""
        return [partition for partition, held in self._held.items() if held.has_failed]

    @property
    def sending(self) -> "list[asyncio.Task[SendOutcome]]":
        """The unsettled sends."""
        return [held.sending for held in self._held.values() if held.sending]

    def answered(self) -> dict[int, SendOutcome]:
        """Returns the outcomes of finished sends. They stay until ``settle``."""
        return {
            partition: held.sending.result()
            for partition, held in self._held.items()
            if held.sending and held.sending.done() and not held.sending.cancelled()
        }

    def start_round(self) -> set[int]:
        """Returns the partitions to which nothing may be sent now, and drops the keys of those that are due."""
        now = self._clock()
        waiting = {
            partition for partition, held in self._held.items() if held.sending is not None or now < held.retry_at
        }
        for partition in self._held.keys() - waiting:
            self._held[partition].keys.clear()
        return waiting

    def hold(self, partition: int, sending: "asyncio.Task[SendOutcome]", keys: Iterable[str]) -> None:
        """Holds a partition that has not answered yet."""
        held = self._held.setdefault(partition, HeldPartition())
        held.sending = sending
        self._remember(held, keys)

    def learn(self, partition: int, keys: Iterable[str]) -> int:
        """Remembers the keys of more records that wait for the partition; returns how many are new."""
        return self._remember(self._held[partition], keys)

    def settle(self, partition: int, failure: Exception | None, keys: Iterable[str] = ()) -> None:
        """Handles the answer of a partition: it waits after a failure, otherwise it is served with the others again."""
        if failure is None:
            self._held.pop(partition, None)
            return
        held = self._held.setdefault(partition, HeldPartition())
        held.sending, held.has_failed = None, True
        held.retry_at = self._clock() + held.pause
        held.pause = min(held.pause * 2, LONGEST_PAUSE)
        self._remember(held, keys)

    def clear(self) -> None:
        """Forgets all partitions; unfinished sends are cancelled, and repeated later."""
        for task in self.sending:
            task.cancel()
        self._held.clear()

    def _remember(self, held: HeldPartition, keys: Iterable[str]) -> int:
        before, room = len(held.keys), MOST_KEYS - sum(len(one.keys) for one in self._held.values())
        for key in keys:
            if room <= 0:
                break
            room -= key not in held.keys
            held.keys.add(key)
        return len(held.keys) - before
