"""Work that could not be done without the network: uploads to be sent, and versions to be reported as synchronised.

There is one of each kind per slot. A later upload of a slot takes the place of the earlier one: the folder has changed
since, and only what it holds now can be sent as its newest version.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from sqlite3 import Row
from time import time
from typing import Any

from gameshelf.savesync.state import SaveState

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
"""Seconds between tries of ``watch``: doubled each time, with a random part so that devices do not come together."""


class QueuedKind(StrEnum):
    """What is to be done."""

    UPLOAD = "upload"
    SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """Something to be done when the service can be reached."""

    id: int
    slot_name: str
    kind: QueuedKind
    request: Mapping[str, Any]
    since: datetime
    tries: int
    next_at: float
    error: str | None


class OfflineQueue:
    """The queue of one product, in the file of its state."""

    def __init__(self, state: SaveState, clock: Callable[[], float] = time) -> None:
        self._state, self._clock = state, clock

    def put(self, slot_name: str, kind: QueuedKind, request: Mapping[str, Any], error: str) -> None:
        """Keeps work for later. Earlier work of the same kind and slot is replaced; it stays as old as it was."""
        earlier = next((one for one in self.all() if (one.slot_name, one.kind) == (slot_name, kind)), None)
        since = earlier.since if earlier else datetime.fromtimestamp(self._clock(), UTC)
        document = json.dumps({"kind": kind, "since": since.isoformat(), "request": request}, sort_keys=True)
        with self._state.transaction() as connection:
            if earlier:
                connection.execute("DELETE FROM queue WHERE id = ?", (earlier.id,))
            connection.execute(
                "INSERT INTO queue (slot_name, request_json, tries, next_at, error) VALUES (?, ?, ?, ?, ?)",
                (slot_name, document, earlier.tries if earlier else 0, self._clock() + self._pause(0), error),
            )

    def all(self) -> list[QueuedWork]:
        """Everything that waits, what the device has first."""
        with self._state.transaction() as connection:
            rows = connection.execute("SELECT * FROM queue ORDER BY id").fetchall()
        # A version is reported before an upload that is based on it.
        return sorted(map(_work_of, rows), key=lambda one: (one.kind is QueuedKind.UPLOAD, one.id))

    def due(self) -> list[QueuedWork]:
        """What ``watch`` tries now."""
        return [one for one in self.all() if one.next_at <= self._clock()]

    def done(self, work: QueuedWork) -> None:
        """Removes work that is done, or that has no sense any more."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM queue WHERE id = ?", (work.id,))

    def drop(self, slot_name: str, kind: QueuedKind) -> None:
        """Removes the work of a slot, which was done in another way."""
        for one in self.all():
            if (one.slot_name, one.kind) == (slot_name, kind):
                self.done(one)

    def failed(self, work: QueuedWork, error: str) -> None:
        """Notes a try, and when the next one is."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE queue SET tries = tries + 1, next_at = ?, error = ? WHERE id = ?",
                (self._clock() + self._pause(work.tries + 1), error, work.id),
            )

    @staticmethod
    def _pause(tries: int) -> float:
        return float(min(FIRST_PAUSE * 2 ** min(tries, 16), LONGEST_PAUSE) * random.uniform(0.5, 1.0))  # noqa: S311


def _work_of(row: Row) -> QueuedWork:
    document = json.loads(row["request_json"])
    return QueuedWork(
        id=row["id"],
        slot_name=row["slot_name"],
        kind=QueuedKind(document["kind"]),
        request=document["request"],
        since=datetime.fromisoformat(document["since"]),
        tries=row["tries"],
        next_at=row["next_at"],
        error=row["error"],
    )
