"""Where work that could not be sent is kept."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """Something to be sent. Its id is sent with it, so that it counts once."""

    id: str
    kind: str
    attributes: Mapping[str, Any]
    code: str | None = None
    """Why the service has refused it; it is not sent again by itself."""


class QueueStore(Protocol):
    """A store of one user. Its methods are called in threads, one at a time by each queue."""

    def load(self) -> list[QueueEntry]:
        """Everything, the oldest first."""

    def put(self, entry: QueueEntry) -> None:
        """Keeps an entry when it returns. One with the same id is replaced, and keeps its place."""

    def remove(self, ids: Iterable[str]) -> None:
        """Removes entries; those that are not there are no error."""


class MemoryQueueStore:
    """Keeps entries as long as the process lives."""

    def __init__(self) -> None:
        self._entries: dict[str, QueueEntry] = {}

    def load(self) -> list[QueueEntry]:
        """Everything, the oldest first."""
        return list(self._entries.values())

    def put(self, entry: QueueEntry) -> None:
        """Keeps an entry."""
        self._entries[entry.id] = entry

    def remove(self, ids: Iterable[str]) -> None:
        """Removes entries."""
        for one in ids:
            self._entries.pop(one, None)


class FileQueueStore:
    """Keeps entries in a file of SQLite, which several processes may use, and which a crash leaves whole.

    A file is for one user: what another user has played is not theirs.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def load(self) -> list[QueueEntry]:
        """Everything, the oldest first."""
        with self._connected() as connection:
            rows = connection.execute("SELECT id, kind, attributes, code FROM entries ORDER BY number").fetchall()
        return [QueueEntry(one, kind, json.loads(attributes), code) for one, kind, attributes, code in rows]

    def put(self, entry: QueueEntry) -> None:
        """Keeps an entry when it returns."""
        values = (entry.id, entry.kind, json.dumps(dict(entry.attributes), ensure_ascii=False), entry.code)
        with self._connected() as connection:
            connection.execute(
                "INSERT INTO entries (id, kind, attributes, code) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET kind = excluded.kind, attributes = excluded.attributes, code = excluded.code",
                values,
            )

    def remove(self, ids: Iterable[str]) -> None:
        """Removes entries."""
        with self._connected() as connection:
            connection.executemany("DELETE FROM entries WHERE id = ?", [(one,) for one in ids])

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            with connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                    " id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, attributes TEXT NOT NULL, code TEXT)"
                )
                yield connection
        finally:
            connection.close()
