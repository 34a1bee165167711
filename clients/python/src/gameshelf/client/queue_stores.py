"""Where work that could not be sent is kept."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""Primary codes: the lowest byte of a code."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, attributes TEXT NOT NULL, code TEXT, user TEXT)"
)
_PUT = (
    "INSERT INTO entries (id, kind, attributes, code, user) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " kind = excluded.kind, attributes = excluded.attributes, code = excluded.code, user = excluded.user"
)


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """Something to be sent. Its id is sent with it, so that it counts once."""

    id: str
    kind: str
    attributes: Mapping[str, Any]
    code: str | None = None
    """Why the service has refused it; it is not sent again by itself."""
    user: str | None = None
    """Who has played: the token of another one does not send it. None where that was not known."""


class QueueStore(Protocol):
    """A store of a machine. Its methods are called in threads, one at a time by each queue."""

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

    A file that is damaged all the same, as by a disk, is put aside as ``….damaged``, and another one begins.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def load(self) -> list[QueueEntry]:
        """Everything, the oldest first."""
        found = "SELECT id, kind, attributes, code, user FROM entries ORDER BY number"
        rows = self._run(lambda connection: connection.execute(found).fetchall())
        return [QueueEntry(one, kind, json.loads(attributes), code, user) for one, kind, attributes, code, user in rows]

    def put(self, entry: QueueEntry) -> None:
        """Keeps an entry when it returns."""
        attributes = json.dumps(dict(entry.attributes), ensure_ascii=False)
        values = (entry.id, entry.kind, attributes, entry.code, entry.user)
        self._run(lambda connection: connection.execute(_PUT, values))

    def remove(self, ids: Iterable[str]) -> None:
        """Removes entries."""
        values = [(one,) for one in ids]
        self._run(lambda connection: connection.executemany("DELETE FROM entries WHERE id = ?", values))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._connected() as connection:
                return work(connection)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
        self._put_aside()
        with self._connected() as connection:
            return work(connection)

    def _put_aside(self) -> None:
        """A journal goes along: it would be applied to the next file."""
        for ending in ("", "-journal"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + ending).replace(f"{self._path}.damaged{ending}")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            with connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(_TABLE)
                yield connection
        finally:
            connection.close()
