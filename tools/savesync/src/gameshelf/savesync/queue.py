"""Work that could not be done without the network: uploads to be sent, and versions to be reported as synchronised.

There is one of each kind per slot. A later upload of a slot takes the place of the earlier one: the folder has changed
since, and only what it holds now can be sent as its newest version.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from sqlite3 import Row
from time import time
from typing import Any

from gameshelf.savesync.state import SaveState


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
    error: str | None
    """Why it could not be done the last time."""


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
                "INSERT INTO queue (slot_name, request_json, error) VALUES (?, ?, ?)", (slot_name, document, error)
            )

    def all(self) -> list[QueuedWork]:
        """Everything that waits, what the device has first."""
        with self._state.transaction() as connection:
            rows = connection.execute("SELECT * FROM queue ORDER BY id").fetchall()
        # A version is reported before an upload that is based on it.
        return sorted(map(_work_of, rows), key=lambda one: (one.kind is QueuedKind.UPLOAD, one.id))

    def done(self, work: QueuedWork) -> None:
        """Removes work that is done, or that has no sense any more."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM queue WHERE id = ?", (work.id,))

    def drop(self, slot_name: str, kind: QueuedKind) -> None:
        """Removes the work of a slot, which was done in another way."""
        for one in self.all():
            if (one.slot_name, one.kind) == (slot_name, kind):
                self.done(one)


def _work_of(row: Row) -> QueuedWork:
    document = json.loads(row["request_json"])
    return QueuedWork(
        id=row["id"],
        slot_name=row["slot_name"],
        kind=QueuedKind(document["kind"]),
        request=document["request"],
        since=datetime.fromisoformat(document["since"]),
        error=row["error"],
    )
