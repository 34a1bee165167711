"""What this device knows of a product since its last synchronisation, in one SQLite file that survives a power failure.

The files of a slot are those that this client uploaded or applied. They are the base of the next upload, and the only
ones that it may ever delete.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID, uuid4

from gameshelf.savesync.errors import StateUnusable
from gameshelf.savesync.files import CloudFile, CloudFiles, LocalFile, LocalFiles, RootFolders, SyncedSlot

_FORMAT = 2
_LIMIT_FOR = 86_400.0
_SCHEMA = """
CREATE TABLE slots (
    slot_name TEXT PRIMARY KEY, savegame_id TEXT NOT NULL, version INTEGER NOT NULL, content_identity TEXT NOT NULL,
    applied_at REAL NOT NULL, turn INTEGER NOT NULL
);
CREATE TABLE files (
    slot_name TEXT NOT NULL REFERENCES slots ON DELETE CASCADE, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, disk_name TEXT NOT NULL, PRIMARY KEY (slot_name, path)
) WITHOUT ROWID;
CREATE TABLE elsewhere (
    slot_name TEXT NOT NULL REFERENCES slots ON DELETE CASCADE, path TEXT NOT NULL, file_json TEXT NOT NULL,
    PRIMARY KEY (slot_name, path)
) WITHOUT ROWID;
CREATE TABLE roots (
    slot_name TEXT NOT NULL, name TEXT NOT NULL, folder TEXT NOT NULL, PRIMARY KEY (slot_name, name)
) WITHOUT ROWID;
CREATE TABLE limits (max_file_bytes INTEGER NOT NULL, noted_at REAL NOT NULL);
CREATE TABLE device (device_id TEXT NOT NULL);
CREATE TABLE preferences (auto_sync INTEGER NOT NULL);
CREATE TABLE uploads (
    slot_name TEXT PRIMARY KEY, upload_id TEXT NOT NULL, request_json TEXT NOT NULL
);
CREATE TABLE queue (
    id INTEGER PRIMARY KEY, slot_name TEXT NOT NULL, request_json TEXT NOT NULL, error TEXT
);
"""


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """An upload that this device began, and did not commit yet."""

    slot_name: str
    upload_id: str
    request: Mapping[str, Any]
    """The attributes of the request, without its files."""


class SaveState:
    """The state of one product of one account, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "state.db"

    @property
    def staging(self) -> Path:
        """Where contents wait that are to be sent or applied."""
        return self.folder / "staging"

    @property
    def lock_file(self) -> Path:
        """The file to lock while this product is synchronised."""
        return self.folder / "lock"

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes become durable together. Raises StateUnusable."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        except sqlite3.Error as error:
            raise StateUnusable(self._path, str(error)) from error
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("BEGIN IMMEDIATE")
            self._prepare(connection)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:  # a full disk, a lock: the file itself is in order
            raise StateUnusable(self._path, str(error)) from error
        except sqlite3.DatabaseError as error:
            hint = "the file is damaged; move it away, and the next run starts from nothing and asks where both differ"
            raise StateUnusable(self._path, f"{error}: {hint}") from error
        finally:
            connection.close()  # which rolls back what was not committed

    def _prepare(self, connection: sqlite3.Connection) -> None:
        [found] = connection.execute("PRAGMA user_version").fetchone()
        if found > _FORMAT:
            raise StateUnusable(self._path, f"format {found} is of a newer version of this client")
        if 0 < found < _FORMAT:
            hint = "move the file away, and the next run starts from nothing and asks where both differ"
            raise StateUnusable(self._path, f"format {found} is of an older version of this client; {hint}")
        if found == 0:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def slot(self, name: str) -> SyncedSlot | None:
        """The version of a slot that the folders had last, or None."""
        return next((slot for slot in self.slots() if slot.slot_name == name), None)

    def slots(self) -> list[SyncedSlot]:
        """All slots of the product that this device has synchronised."""
        with self.transaction() as connection:
            slots = connection.execute("SELECT * FROM slots ORDER BY slot_name").fetchall()
            files: dict[str, dict[str, LocalFile]] = {slot["slot_name"]: {} for slot in slots}
            for row in connection.execute("SELECT * FROM files ORDER BY slot_name, path"):
                file = LocalFile(row["size"], row["mtime_ns"], row["sha256"], row["disk_name"])
                files[row["slot_name"]][row["path"]] = file
            elsewhere: dict[str, dict[str, CloudFile]] = {name: {} for name in files}
            for row in connection.execute("SELECT * FROM elsewhere ORDER BY slot_name, path"):
                elsewhere[row["slot_name"]][row["path"]] = CloudFile(**json.loads(row["file_json"]))
        return [_slot(row, files[row["slot_name"]], elsewhere[row["slot_name"]]) for row in slots]

    def applied_at(self, name: str) -> float | None:
        """When the folders had the version of a slot, in seconds since 1970, or None."""
        with self.transaction() as connection:
            row = connection.execute("SELECT applied_at FROM slots WHERE slot_name = ?", (name,)).fetchone()
        return row and float(row["applied_at"])

    def turn(self, name: str | None = None) -> int:
        """The turn in which the folders had the version of a slot, or of the last of all slots; 0 if there is none.

        Turns count the synchronisations of all accounts of a machine: its clock may be set back between two of them.
        """
        with self.transaction() as connection:
            query = "SELECT coalesce(max(turn), 0) FROM slots WHERE ?1 IS NULL OR slot_name = ?1"
            [found] = connection.execute(query, (name,)).fetchone()
        return int(found)

    def record(self, slot: SyncedSlot, roots: RootFolders, *, turn: int = 1) -> None:
        """Notes that the folders have a version: after its commit, or after it was applied."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO slots VALUES (?, ?, ?, ?, ?, ?)",
                (slot.slot_name, slot.savegame_id, slot.version, slot.content_identity, time(), turn),
            )
            connection.execute("DELETE FROM files WHERE slot_name = ?", (slot.slot_name,))
            connection.executemany(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (slot.slot_name, path, file.sha256, file.size, file.mtime_ns, file.disk_name)
                    for path, file in slot.files.items()
                ),
            )
            connection.execute("DELETE FROM elsewhere WHERE slot_name = ?", (slot.slot_name,))
            connection.executemany(
                "INSERT INTO elsewhere VALUES (?, ?, ?)",
                ((slot.slot_name, path, json.dumps(asdict(file))) for path, file in slot.elsewhere.items()),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO roots VALUES (?, ?, ?)",
                ((slot.slot_name, name, str(folder)) for name, folder in roots.items()),
            )
            connection.execute("DELETE FROM uploads WHERE slot_name = ?", (slot.slot_name,))

    def max_file_bytes(self) -> int:
        """How large a file may be by the service's own limit, as far as an upload has shown it lately; 0: unknown."""
        with self.transaction() as connection:
            row = connection.execute("SELECT * FROM limits WHERE noted_at > ?", (time() - _LIMIT_FOR,)).fetchone()
        return int(row["max_file_bytes"]) if row else 0

    def note_max_file_bytes(self, size: int) -> None:
        """Notes the service's limit. It may be raised some day, so it is forgotten after a day."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM limits")
            connection.execute("INSERT INTO limits VALUES (?, ?)", (size, time()))

    def auto_sync(self) -> bool:
        """Whether the game synchronises by itself, as far as the service has said it."""
        with self.transaction() as connection:
            row = connection.execute("SELECT auto_sync FROM preferences").fetchone()
        return row is None or bool(row["auto_sync"])

    def note_auto_sync(self, value: bool) -> None:
        """Remembers what the service has said, for a run without the network."""
        if value != self.auto_sync():
            with self.transaction() as connection:
                connection.execute("DELETE FROM preferences")
                connection.execute("INSERT INTO preferences VALUES (?)", (value,))

    def owner(self) -> str | None:
        """The device that had this state last: another one if it came with a copied home folder."""
        with self.transaction() as connection:
            row = connection.execute("SELECT device_id FROM device").fetchone()
        return row and str(row["device_id"])

    def own(self, device_id: str) -> None:
        """Notes the device that has this state."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM device")
            connection.execute("INSERT INTO device VALUES (?)", (device_id,))

    def root_folders(self, slot_names: Collection[str]) -> RootFolders:
        """Where the roots of slots were at the last synchronisation: a folder that is missing since then is not empty.

        Another slot may have other folders for roots of the same names.
        """
        with self.transaction() as connection:
            rows = connection.execute("SELECT * FROM roots ORDER BY slot_name, name").fetchall()
        return {row["name"]: Path(row["folder"]) for row in rows if row["slot_name"] in slot_names}

    def folders(self) -> list[tuple[str, Path]]:
        """All roots of all slots."""
        with self.transaction() as connection:
            rows = connection.execute("SELECT DISTINCT name, folder FROM roots ORDER BY name, folder").fetchall()
        return [(row["name"], Path(row["folder"])) for row in rows]

    def started_upload(self, slot_name: str) -> StartedUpload | None:
        """The upload of a slot that is to be resumed, or None."""
        with self.transaction() as connection:
            row = connection.execute("SELECT * FROM uploads WHERE slot_name = ?", (slot_name,)).fetchone()
        return row and StartedUpload(slot_name, row["upload_id"], json.loads(row["request_json"]))

    def note_upload(self, slot_name: str, upload_id: str, request: Mapping[str, Any]) -> None:
        """Remembers an upload, so that the next run resumes or cancels it."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)",
                (slot_name, upload_id, json.dumps(request, sort_keys=True)),
            )


def _slot(row: sqlite3.Row, files: LocalFiles, elsewhere: CloudFiles) -> SyncedSlot:
    return SyncedSlot(row["slot_name"], row["savegame_id"], row["version"], row["content_identity"], files, elsewhere)


@dataclass(frozen=True, slots=True)
class Device:
    """This installation, as the cloud knows it. The id is random: two machines may have one name."""

    device_id: str
    device_name: str | None


def device_of(path: Path, name: str | None = None, machine: str | None = None) -> Device:
    """Reads the id of this installation, or makes it: two processes that do so at once read the same one.

    ``machine`` is ``installation.machine_mark``: a file that was made on another machine came with a copied home
    folder, and both would be one device. It is replaced by a new one.
    """
    for _ in range(2):
        is_copied = False
        with suppress(FileNotFoundError):
            device, made_on = _read_device(path)
            is_copied = None not in (machine, made_on) and machine != made_on
            if not is_copied:
                return device
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{uuid4().hex}")
        said = {"device_id": str(uuid4()), "device_name": name, "machine": machine}
        write_durably(draft, json.dumps(said).encode())
        try:
            if is_copied:
                draft.replace(path)
                continue
            # A name that is taken stays as it is: the first of two processes wins, and its file is whole.
            draft.rename(path) if os.name == "nt" else os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links: a short moment in which two processes may differ
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return _read_device(path)[0]


def _read_device(path: Path) -> tuple[Device, str | None]:
    """The device, and the mark of the machine that made the file."""
    try:
        said = json.loads(path.read_bytes())
        device_id, device_name = said["device_id"], said.get("device_name")
        UUID(device_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"this is no device of this client ({error}); remove the file to become a new device"
        raise StateUnusable(path, reason) from error
    return Device(device_id, device_name if isinstance(device_name, str) and device_name else None), said.get("machine")


def write_durably(path: Path, content: bytes) -> None:
    """Writes a new file, and waits until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
