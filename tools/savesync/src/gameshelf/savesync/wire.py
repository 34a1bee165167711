"""The requests and answers of the service that this client uses, as values. Fields of a later version are ignored."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gameshelf.savesync.errors import UnexpectedAnswer
from gameshelf.savesync.files import CloudFile, CloudFiles, LocalFiles
from gameshelf.savesync.paths import problems

Attributes = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class SlotOnDevice:
    """What this device has of a slot, for a plan."""

    slot_name: str
    content_identity: str | None
    """None: this device has no file of it."""
    savegame_id: str | None = None
    base_version: int | None = None
    """0: from nothing. None: what this device had last, as the service remembers it."""
    units: Mapping[str, str] = field(default_factory=dict)
    """The hash of each unit, where the policy declares units."""

    def attributes(self) -> Attributes:
        """As a plan has them."""
        said: dict[str, Any] = {"slot_name": self.slot_name, "content_hash": self.content_identity}
        if self.savegame_id is not None:
            said["savegame_id"] = self.savegame_id
        if self.base_version is not None:
            said["base_version"] = self.base_version
        if 0 < len(self.units) <= 200:  # more are not compared one by one
            said["units"] = [{"name": name, "sha256": value} for name, value in self.units.items()]
        return said


@dataclass(frozen=True, slots=True)
class SlotAdvice:
    """What is to be done with a slot."""

    slot_name: str
    action: str
    """``none``, ``upload``, ``download``, ``merge``, ``conflict`` or ``deleted``."""
    reason: str
    savegame_id: str | None = None
    head_version: int | None = None
    branch_version: int | None = None
    conflict_id: str | None = None
    regresses_to: int | None = None
    written_by_newer_version: str | None = None
    """Version of the game that wrote the head, if it is newer than this device's."""

    @property
    def asks(self) -> bool:
        """Whether the player has to decide."""
        return self.action == "conflict" or self.conflict_id is not None or self.regresses_to is not None


@dataclass(frozen=True, slots=True)
class DeviceActivity:
    """What another device is doing, or did and has not uploaded."""

    device_id: str
    device_name: str | None
    state: str
    slot_name: str | None
    since: str | None
    unsynced_playtime_seconds: int | None


@dataclass(frozen=True, slots=True)
class SyncAdvice:
    """The answer to a plan."""

    slots: tuple[SlotAdvice, ...]
    others: tuple[DeviceActivity, ...]
    proceed: str
    """``yes``, ``wait`` or ``ask``."""
    policy_revision: int
    policy: Any
    """The document, if it is not the one that the request named."""
    auto_sync: bool


@dataclass(frozen=True, slots=True)
class NewVersion:
    """The whole list of a version that is to be uploaded."""

    product_id: str
    slot_name: str
    device_id: str
    files: LocalFiles
    elsewhere: CloudFiles = field(default_factory=dict)
    """Files of the base that this machine has no folder for."""
    part_hashes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By the hash of a content: those of its parts. A content without them goes in one piece."""
    base_version: int | None = None
    savegame_id: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Attributes that are passed as they are: ``device_name``, ``comment``, ``confirm_removals`` …"""

    def attributes(self) -> Attributes:
        """As the request has them. The files are sorted, so that equal requests have equal bodies."""
        entries = {path: self._entry(path) for path in {**self.files, **self.elsewhere}}
        said = {
            "product_id": self.product_id,
            "save_slot_name": self.slot_name,
            "device_id": self.device_id,
            "savegame_id": self.savegame_id,
            "base_version": self.base_version,
            **self.options,
            "files": [entries[path] for path in sorted(entries, key=str.encode)],
        }
        return {key: value for key, value in said.items() if value is not None}

    def _entry(self, path: str) -> Attributes:
        local = self.files.get(path)
        if local is None:
            return _entry_of(path, self.elsewhere[path])
        entry = {
            "path": path,
            "size_bytes": local.size,
            "sha256": local.sha256,
            "modified_at": to_rfc3339(local.mtime_ns),
        }
        if local.sha256 in self.part_hashes:
            entry["part_sha256"] = list(self.part_hashes[local.sha256])
        return {key: value for key, value in entry.items() if value is not None}


def _entry_of(path: str, file: CloudFile) -> Attributes:
    entry = {
        "path": path,
        "size_bytes": file.size,
        "sha256": file.sha256,
        "modified_at": None if file.mtime_ns is None else to_rfc3339(file.mtime_ns),
        "raw_sha256": file.raw_sha256,
        "raw_size_bytes": file.raw_size,
        "content_encoding": file.content_encoding,
        "encryption": None if file.encryption is None else dict(file.encryption),
    }
    return {key: value for key, value in entry.items() if value is not None}


@dataclass(frozen=True, slots=True)
class CommittedVersion:
    """A version that the cloud has now."""

    savegame_id: str
    version: int
    content_identity: str
    result: str
    """``head``, ``identical``, ``behind``, ``resolved`` or ``deleted``."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What belongs to the result: ``resolution``, ``regresses_to``, ``copy_savegame_id`` …"""


@dataclass(frozen=True, slots=True)
class DownloadTicket:
    """The list of a version, and URLs for the next contents that this device lacks."""

    version: int
    content_identity: str
    files: CloudFiles
    urls: Mapping[str, str]
    """By the hash of the bytes in the cloud."""
    missing_bytes: int
    missing_count: int


@dataclass(frozen=True, slots=True)
class FileDownload:
    """A version that is a single file."""

    version: int
    url: str
    size: int
    sha256: str
    packing: str | None
    """How the bytes differ from the file of the game, if they do."""


@dataclass(frozen=True, slots=True)
class CloudVersion:
    """A version of a save, without its files."""

    id: str
    """Of the save where this is a head in a list of saves; else of the version."""
    slot_name: str
    version: int
    parent_version: int | None
    status: str | None
    content_identity: str
    size: int
    file_count: int | None
    server_uploaded_at: str | None
    client_modified_at: str | None
    device_id: str | None
    comment: str | None
    is_pinned: bool
    playtime_seconds: int | None


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turns what an answer lacks into UnexpectedAnswer."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswer(f"{what}: {type(error).__name__}: {error}") from error


def read_advice(answer: Any) -> SyncAdvice:
    """Of ``POST /savegames/plan``."""
    with reading("plan"):
        said = answer["data"]["attributes"]
        return SyncAdvice(
            tuple(_slot_advice(slot) for slot in said["slots"]),
            tuple(_activity(other) for other in said["others"]),
            _proceed(said["proceed"]),
            said["policy_revision"],
            said.get("policy"),
            bool((answer.get("meta") or {}).get("auto_sync", True)),
        )


def _proceed(value: Any) -> str:
    if value not in ("yes", "wait", "ask"):
        raise ValueError(f"{value!r} is no answer to whether the game may start")
    return str(value)


def _slot_advice(said: Any) -> SlotAdvice:
    return SlotAdvice(
        said["slot_name"],
        said["action"],
        said["reason"],
        said.get("savegame_id"),
        said.get("head_version"),
        said.get("branch_version"),
        said.get("conflict_id"),
        said.get("regresses_to"),
        said.get("written_by_newer_version"),
    )


def _activity(said: Any) -> DeviceActivity:
    return DeviceActivity(
        said["device_id"],
        said.get("device_name"),
        said["state"],
        said.get("slot_name"),
        said.get("since"),
        said.get("unsynced_playtime_seconds"),
    )


def read_commit(answer: Any) -> CommittedVersion:
    """Of ``POST /savegames/uploads/{id}/commit``, and of a resolution or a restore."""
    with reading("commit"):
        data, meta = answer["data"], answer.get("meta") or {}
        return CommittedVersion(
            _text(data["id"]),
            _count(data["attributes"]["version"]),
            _text(data["attributes"]["content_identity"]),
            meta.get("result") or "head",
            dict(meta),
        )


def read_download(answer: Any) -> DownloadTicket:
    """Of ``POST /savegames/{id}/download``."""
    with reading("download"):
        said = answer["data"]["attributes"]
        urls = {file["sha256"]: file["download_url"] for file in said["files"] if file.get("download_url")}
        return DownloadTicket(
            _count(said["version"]),
            _text(said["content_identity"]),
            read_files(said["files"]),
            urls,
            _count(said["missing_bytes"]),
            _count(said["missing_count"]),
        )


def read_file_download(answer: Any) -> FileDownload:
    """Of ``GET /savegames/{id}/download-url``."""
    with reading("download"):
        said = answer["data"]["attributes"]
        packing = "an encryption" if said.get("encryption") else said.get("content_encoding")
        return FileDownload(
            _count(said["version"]),
            _text(said["download_url"]),
            _count(said["file_size_bytes"]),
            _hash(said["file_hash_sha256"]),
            packing,
        )


def read_files(entries: Sequence[Any]) -> CloudFiles:
    """A list of files. Raises UnexpectedAnswer for paths that could lead out of a root."""
    with reading("files"):
        files = {entry["path"]: _cloud_file(entry) for entry in entries}
        if len(files) != len(entries):
            raise ValueError("a path is there twice")
        if wrong := problems(list(files)):
            raise ValueError(f"{wrong[0].path!r}: {wrong[0].rule}")
    return files


def _cloud_file(entry: Any) -> CloudFile:
    modified_at = entry.get("modified_at")
    return CloudFile(
        _count(entry["size_bytes"]),
        _hash(entry["sha256"]),
        None if modified_at is None else to_ns(modified_at),
        entry.get("raw_sha256") and _hash(entry["raw_sha256"]),
        None if entry.get("raw_size_bytes") is None else _count(entry["raw_size_bytes"]),
        entry.get("content_encoding"),
        entry.get("encryption"),
    )


def _count(value: Any) -> int:
    """A number of an answer: a version, a size, how many there are."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _hash(text: str) -> str:
    """A hash names files in the staging folder, so it has to be one."""
    if len(bytes.fromhex(text)) != 32 or text != text.lower():
        raise ValueError(f"{text!r} is no SHA-256")
    return text


def read_version(data: Any) -> CloudVersion:
    """A ``savegame`` or a ``savegameVersion``."""
    with reading("savegame"):
        said = data["attributes"]
        return CloudVersion(
            data["id"],
            said["slot_name"],
            said["version"],
            said.get("parent_version"),
            said.get("status"),
            said["content_identity"],
            said["file_size_bytes"],
            said.get("file_count"),
            said.get("server_uploaded_at"),
            said.get("client_modified_at"),
            said.get("device_id"),
            said.get("comment"),
            bool(said.get("is_pinned")),
            said.get("playtime_seconds"),
        )


def to_rfc3339(ns: int) -> str | None:
    """A modification time, to the microsecond. None for one that the service does not take."""
    try:
        moment = _EPOCH + timedelta(microseconds=ns // 1_000)
    except OverflowError:
        return None
    return moment.isoformat().replace("+00:00", "Z") if 1970 <= moment.year <= _LATEST_YEAR else None


def to_ns(text: str) -> int:
    """The time of an answer in nanoseconds."""
    moment = datetime.fromisoformat(text)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
