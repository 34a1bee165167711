"""Hashes that were computed before: a file that has not changed is not read again.

A hash is kept under the name, size, times and inode of its file. Losing the cache costs time only, so whatever is wrong
with it, it is started again.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from os import stat_result
from pathlib import Path

from gameshelf.savesync.files import mtime_of, nanoseconds

_FORMAT = 1
_SCHEMA = """
CREATE TABLE hashes (
    place TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (place, name)
) WITHOUT ROWID
"""
_TOO_YOUNG_NS = 2_000_000_000
"""A file that changed so shortly before it was read may change again without another time: some file systems count in
steps of two seconds."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when somebody writes a file or replaces it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, found: stat_result) -> "Stamp":
        """The stamp of a file that was looked at."""
        return cls(found.st_size, mtime_of(found), nanoseconds(found.st_ctime_ns), found.st_ino)

    def is_older_than(self, now_ns: int) -> bool:
        """Whether a change after this moment would show in the times."""
        return max(self.mtime_ns, self.ctime_ns) < now_ns - _TOO_YOUNG_NS


KnownHashes = Mapping[str, tuple[Stamp, str]]
"""Stamp and hash, by the name of the file below its folder."""


class HashCache:
    """The hashes of a product's files, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, place: str) -> KnownHashes:
        """What is known of the files of a root in its folder."""
        query = "SELECT name, size, mtime_ns, ctime_ns, inode, sha256 FROM hashes WHERE place = ?"
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute(query, (place,)).fetchall()
            return {
                name: (Stamp(size, mtime, ctime, int(inode)), sha256)
                for name, size, mtime, ctime, inode, sha256 in rows
            }
        except (sqlite3.Error, OSError, ValueError):
            return {}

    def replace(self, place: str, known: KnownHashes) -> None:
        """Keeps the hashes of a root in its folder, and drops those of files that are gone."""
        rows = [
            (place, name, stamp.size, stamp.mtime_ns, stamp.ctime_ns, str(stamp.inode), sha256)
            for name, (stamp, sha256) in known.items()
        ]
        for _ in range(2):
            try:
                with closing(self._connect()) as connection, connection:
                    connection.execute("DELETE FROM hashes WHERE place = ?", (place,))
                    connection.executemany("INSERT INTO hashes VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                return
            except sqlite3.OperationalError:  # a full disk or another process: without a cache it works, too
                return
            except sqlite3.DatabaseError:
                with suppress(OSError):
                    self._path.unlink(missing_ok=True)
            except OSError:
                return

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=5)
        try:
            [found] = connection.execute("PRAGMA user_version").fetchone()
            if found != _FORMAT:  # new, or of another version of this client
                with connection:
                    connection.execute("DROP TABLE IF EXISTS hashes")
                    connection.execute(_SCHEMA)
                    connection.execute(f"PRAGMA user_version = {_FORMAT}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection
