"""What a synchronisation did, for a person, for a launcher, and as an exit code."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from gameshelf.savesync.conflict import SaveConflict
from gameshelf.savesync.uncovered import UncoveredFiles
from gameshelf.savesync.wire import DeviceActivity


class SyncExit(IntEnum):
    """What a launcher reads."""

    IN_SYNC = 0
    FAILED = 1
    USAGE = 2
    DECISION_NEEDED = 3
    DEFERRED = 4


class SyncIntent(StrEnum):
    """Why a synchronisation runs; the service plans by it."""

    LAUNCH = "launch"
    EXIT = "exit"
    SUSPEND = "suspend"
    RESUME = "resume"
    BACKGROUND = "background"
    MANUAL = "manual"


class SyncAction(StrEnum):
    """What is to be done with a slot: the answer of a plan."""

    NONE = "none"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    MERGE = "merge"
    CONFLICT = "conflict"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class SlotReport:
    """What was done with a slot."""

    slot: str
    action: SyncAction
    reason: str = ""
    version: int | None = None
    files: int = 0
    uploaded_bytes: int = 0
    downloaded_bytes: int = 0
    conflict: SaveConflict | None = None
    question: "GuardQuestion | None" = None
    error: str | None = None
    written_by_newer_version: str | None = None
    """Version of the game that wrote the cloud's version, if it is newer than the one on this machine."""
    copy: str | None = None
    """The save that the other side of a conflict has become."""


@dataclass(frozen=True, slots=True)
class GuardQuestion:
    """A guard that the service put in the way, and the option that answers it."""

    code: str
    text: str
    option: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """A file that no version has, since it is too large."""

    path: str
    size_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The result of a synchronisation, or the state that ``status`` found."""

    product: str
    device_id: str
    proceed: str = "yes"
    """``yes``, ``wait`` (another device uploads just now) or ``ask``."""
    slots: tuple[SlotReport, ...] = ()
    others: tuple[DeviceActivity, ...] = ()
    queued: int = 0
    queued_since: datetime | None = None
    deferred: str | None = None
    """Why nothing was uploaded, for now."""
    retry_after: float | None = None
    """For how many seconds the service or the store asks for patience."""
    uncovered: tuple[UncoveredFiles, ...] = ()
    rescued: tuple[str, ...] = ()
    """Files that a game wrote during an interrupted apply, kept beside the save."""
    auto_sync: bool = True
    links: tuple[str, ...] = ()
    """Links inside of roots. They are not followed."""
    skipped: tuple[LeftOutFile, ...] = ()
    emptied: tuple[str, ...] = ()
    """Folders that held files of the save at the last synchronisation, and no file when this one began."""

    @property
    def exit_code(self) -> SyncExit:
        """The most urgent of what the slots say."""
        if any(one.error for one in self.slots):
            return SyncExit.FAILED
        if any(one.conflict or one.question for one in self.slots) or self.proceed == "ask":
            return SyncExit.DECISION_NEEDED
        if self.deferred or self.queued or self.proceed == "wait":
            return SyncExit.DEFERRED
        return SyncExit.IN_SYNC

    def to_json(self) -> dict[str, Any]:
        """One object for ``--json``."""
        return {
            "product": self.product,
            "device_id": self.device_id,
            "proceed": self.proceed,
            "slots": [_slot(one) for one in self.slots],
            "others": [asdict(one) for one in self.others],
            "queued": self.queued,
            "queued_since": _time(self.queued_since),
            "deferred": self.deferred,
            "retry_after_seconds": self.retry_after,
            "uncovered": [{**asdict(one), "paths": [str(path) for path in one.paths]} for one in self.uncovered],
            "rescued": list(self.rescued),
            "links": list(self.links),
            "skipped": [asdict(one) for one in self.skipped],
            "emptied": list(self.emptied),
            "auto_sync": self.auto_sync,
        }


def proceed_beside(others: Sequence[DeviceActivity], intent: SyncIntent) -> str:
    """What a plan says of other devices, once a question about this one has been answered."""
    states = {one.state for one in others}
    asks = {"session_active", "session_suspended", "upload_pending"}
    if intent in (SyncIntent.LAUNCH, SyncIntent.RESUME, SyncIntent.MANUAL) and states & asks:
        return "ask"
    return "wait" if "upload_open" in states else "yes"


def join_reports(reports: Sequence[SyncReport]) -> SyncReport:
    """One report of a game that has several slots."""
    last = reports[-1]
    uncovered = {one.root: one for report in reports for one in report.uncovered}
    return replace(
        last,
        proceed=max((one.proceed for one in reports), key=("yes", "wait", "ask").index),
        slots=tuple(slot for one in reports for slot in one.slots),
        uncovered=tuple(uncovered.values()),
        rescued=tuple({path: None for one in reports for path in one.rescued}),
        links=tuple(path for one in reports for path in one.links),
        skipped=tuple(file for one in reports for file in one.skipped),
        emptied=tuple(folder for one in reports for folder in one.emptied),
    )


def _slot(one: SlotReport) -> dict[str, Any]:
    return {
        "slot": one.slot,
        "action": one.action,
        "reason": one.reason,
        "version": one.version,
        "files": one.files,
        "uploaded_bytes": one.uploaded_bytes,
        "downloaded_bytes": one.downloaded_bytes,
        "conflict": one.conflict and one.conflict.to_json(),
        "question": one.question and asdict(one.question),
        "error": one.error,
        "written_by_newer_version": one.written_by_newer_version,
        "copy": one.copy,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
