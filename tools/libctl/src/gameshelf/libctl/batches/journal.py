"""The journal of a batch: a SQLite file with each change and what became of it, so that libctl keeps none in memory.

It outlives the end of the process at any point: results are in it in the order of the list, before more than a few
other changes are sent. A change whose result is missing is sent again, which the service answers with the first result.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gameshelf.libctl.errors import NothingFound, Precondition, Refused

KEPT_DAYS = 30
"""How long a journal is kept after its last use: it holds ids of players."""
MAX_DIFFERENCES = 100
"""How many different changes a journal counts; what comes later is counted as one."""
OTHER = "other"
_PAGE = 200
_VERSION = 1
"""The version of its tables, which a journal has in ``user_version``."""
_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.undo)?\.(sqlite|txt)")
_SCHEMA = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE items (
    line INTEGER PRIMARY KEY, words TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
    revision TEXT NOT NULL DEFAULT '', audit_id TEXT NOT NULL DEFAULT '', can_undo TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', asked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX items_state ON items (state, asked, line);
CREATE TABLE differences (what TEXT PRIMARY KEY, players INTEGER NOT NULL) STRICT;
"""
# ``asked`` is 0, or the turn in which a change was last sent without an answer.
_LAST_TURN = "SELECT coalesce(max(asked), 0) FROM items WHERE state = ?"
_WAITING = """
SELECT asked, line, words, state, revision, audit_id, code, message FROM items
WHERE state = ? AND asked BETWEEN ? AND ? AND (asked, line) > (?, ?) ORDER BY asked, line LIMIT ?
"""
_UNANSWERED = "SELECT code, count(*) FROM items WHERE state = ? AND asked > 0 GROUP BY code"
# The parameter: whether also those that may have been made.
_EXCEPTIONS = """
SELECT line, words, state, revision, audit_id, code, message FROM items
WHERE (state IN ('refused', 'failed') OR asked > 0 AND (state = 'read' OR state = 'planned' AND ?))
    AND line > ? ORDER BY line LIMIT ?
"""
_REFUSALS = """
SELECT code, min(message), count(*) FROM items
WHERE state IN ('refused', 'failed') OR asked > 0 AND state IN ('read', 'planned')
GROUP BY code ORDER BY 3 DESC, 1
"""
_RECORD = """
UPDATE items SET state = ?, revision = coalesce(?, revision), audit_id = coalesce(?, audit_id),
    can_undo = coalesce(?, can_undo), code = ?, message = ?, asked = 0
WHERE line = ?
"""
_SET_ASIDE = "UPDATE items SET code = ?, message = ?, asked = ? WHERE line = ?"
_UNDOABLE = "SELECT 1 FROM items WHERE state = ? AND can_undo <> '' LIMIT 1"


class ChangeState(StrEnum):
    """What became of a change."""

    READ = "read"
    """It was read from the list; the dry run has not come to it."""
    PLANNED = "planned"
    """The dry run shows a change."""
    UNCHANGED = "unchanged"
    """There is nothing to change."""
    REFUSED = "refused"
    """The dry run was refused."""
    APPLIED = "applied"
    FAILED = "failed"
    """It was refused when it was to be applied, for instance because the data has changed since the dry run."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A change of the batch: the words of its line, and what became of it.

    One that is still to be made, and has a code, was sent and not answered.
    """

    line: int
    words: tuple[str, ...]
    state: str
    revision: str
    audit_id: str
    code: str
    message: str


class Journal:
    """The journal of one batch. While it is open, no other process can use it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._turn = 0

    @classmethod
    @contextmanager
    def create(cls, name: str, about: Mapping[str, Any]) -> Iterator["Journal"]:
        """Makes the journal ``name`` from scratch, and removes those that nobody used for a month. Raises Refused."""
        path = _path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_old(path.parent)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            hint = "name another folder in LIBCTL_BATCHES"
            raise Refused(f"the journal {path} can't be written ({error.strerror})", hint) from None
        is_empty = False  # it may be the journal of another process, until it is ours
        try:
            with _opened(path) as connection:
                is_empty = True
                for table in ("about", "items", "differences"):
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
                connection.executescript(_SCHEMA)
                journal = cls(path, connection)
                for key, value in about.items():
                    journal.note(key, value)
                try:
                    yield journal
                finally:
                    is_empty = not any(journal.counts().values())
        finally:
            if is_empty:
                path.unlink()  # its list could not be read

    @classmethod
    @contextmanager
    def open(cls, name: str) -> Iterator["Journal"]:
        """Opens an existing journal. Raises NothingFound, Precondition."""
        path = _path(name)
        if not path.exists():
            raise NothingFound(
                f"this machine has no journal of batch {name}", "make the dry run again; it prints the command to apply"
            )
        with _opened(path) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                raise Precondition("the journal of this batch is of another libctl", "make the dry run again")
            yield cls(path, connection)

    def note(self, name: str, value: Any) -> None:
        """Keeps a fact of the batch, in place of an earlier one."""
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str) -> Any:
        """Returns a fact of the batch; None for one that was not kept."""
        row = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    @contextmanager
    def together(self) -> Iterator[None]:
        """What the block writes is kept as a whole, or not at all."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def add(self, line: int, words: tuple[str, ...]) -> bool:
        """Adds a change; returns False if the list has it already."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO items (line, words, state) VALUES (?, ?, ?)",
            (line, json.dumps(words), ChangeState.READ),
        )
        return added.rowcount == 1

    def record(self, item: BatchItem, state: ChangeState, *, difference: str = "", **more: str) -> None:
        """Keeps the answer about a change. ``difference`` is what it changes, which is counted."""
        with self.together():
            values = [more.get(name) for name in ("revision", "audit_id", "can_undo")]
            values += [more.get(name, "") for name in ("code", "message")]
            self._connection.execute(_RECORD, (state, *values, item.line))
            if difference:
                self._count(difference)

    def set_aside(self, item: BatchItem, code: str, message: str) -> None:
        """Keeps that a change was sent and not answered, in this turn."""
        self._connection.execute(_SET_ASIDE, (code, message, self._turn, item.line))

    def waiting(self, state: ChangeState, *, unanswered: bool) -> Iterator[BatchItem]:
        """Begins a turn; yields the changes in this state, in the order of the list, while their state may change.

        Those that were sent and not answered, or the others. Of the former comes first what was asked longest ago, each
        once: a turn that ends early keeps none of them waiting for good.
        """
        last: int = self._connection.execute(_LAST_TURN, (state,)).fetchone()[0]
        self._turn = last + 1
        turns = (1, last) if unanswered else (0, 0)
        after = (-1, -1)
        while True:
            rows = self._connection.execute(_WAITING, (state, *turns, *after, _PAGE)).fetchall()
            for _, *row in rows:
                yield _item(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1][:2]

    def unanswered(self, state: ChangeState) -> int:
        """Returns how many changes in this state were sent and not answered."""
        return sum(players for _, players in self._connection.execute(_UNANSWERED, (state,)).fetchall())

    def codes_of_unanswered(self, state: ChangeState) -> set[str]:
        """Returns the codes of the errors that came in place of answers about changes in this state."""
        return {code for code, _ in self._connection.execute(_UNANSWERED, (state,)).fetchall()}

    def exceptions(self, *, to_repeat: bool = False) -> Iterator[BatchItem]:
        """Yields the changes that were refused or not answered, in the order of the list.

        With ``to_repeat`` without those that may have been made: another batch would make them twice.
        """
        last = -1
        while True:
            rows = self._connection.execute(_EXCEPTIONS, (not to_repeat, last, _PAGE)).fetchall()
            yield from map(_item, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def counts(self) -> dict[ChangeState, int]:
        """Returns how many changes are in each state."""
        found = dict(self._connection.execute("SELECT state, count(*) FROM items GROUP BY state").fetchall())
        return {state: found.get(state, 0) for state in ChangeState}

    def can_undo(self) -> bool:
        """Returns whether a change that was made can be undone."""
        return self._connection.execute(_UNDOABLE, (ChangeState.APPLIED,)).fetchone() is not None

    def refusals(self) -> list[tuple[str, str, int]]:
        """Returns the codes of exceptions, each with a message as its example and a number; the most frequent first."""
        return self._connection.execute(_REFUSALS).fetchall()

    def differences(self) -> list[tuple[str, int]]:
        """Returns what changes, each with the number of changes; the most frequent first."""
        return self._connection.execute("SELECT what, players FROM differences ORDER BY players DESC, what").fetchall()

    def _count(self, difference: str) -> None:
        known = self._connection.execute("SELECT 1 FROM differences WHERE what = ?", (difference,)).fetchone()
        total = self._connection.execute("SELECT count(*) FROM differences").fetchone()[0]
        what = difference if known or total < MAX_DIFFERENCES else OTHER
        self._connection.execute(
            "INSERT INTO differences VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET players = players + 1", (what,)
        )


def _item(row: Sequence[Any]) -> BatchItem:
    line, words, *rest = row
    return BatchItem(line, tuple(json.loads(words)), *rest)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    try:
        _take(connection, path)
        yield connection
    finally:
        connection.close()


def _take(connection: sqlite3.Connection, path: Path) -> None:
    """Locks the file until it is closed, or the process ends in whichever way. Raises Precondition."""
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # what a crash of the machine loses is sent again
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise Refused(f"the journal {path} can't be used ({error})", "make the dry run again") from None
        raise Precondition("another libctl is at work on this batch", "wait until it ends, or end it") from None
    except sqlite3.DatabaseError as error:
        raise Refused(f"the journal {path} can't be read ({error})", "make the dry run again") from None


def _path(name: str) -> Path:
    if named := os.environ.get("LIBCTL_BATCHES"):
        return Path(named) / f"{name}.sqlite"
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise Refused("there is no home folder for the journal", "name a folder in LIBCTL_BATCHES") from None
    return Path(state) / "libctl" / "batches" / f"{name}.sqlite"


def _remove_old(folder: Path, now: Callable[[], float] = time.time) -> None:
    for path in folder.iterdir():
        # Only what is ours: the folder may be one that has other files.
        if _OURS.match(path.name) and now() - path.stat().st_mtime > KEPT_DAYS * 86400:
            path.unlink(missing_ok=True)
