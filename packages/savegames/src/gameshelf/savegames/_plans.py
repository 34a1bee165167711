"""What a device has to do with each save of a product, decided on plain values (contract, section 3.6). Pure.

A plan reserves nothing and writes nothing, and no time decides: bytes are downloaded only onto a device whose own bytes
are in the history of the save, or that has none.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from gameshelf.savegames._guards import is_synced
from gameshelf.savegames._lineage import Relation
from gameshelf.savegames._policies import SavePolicy


class PlanAction(StrEnum):
    """What a device has to do with a save."""

    NONE = "none"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    MERGE = "merge"
    """Upload: the service merges the branch by its units."""
    CONFLICT = "conflict"
    """Ask the user."""
    DELETED = "deleted"
    """The save was deleted elsewhere. The files stay as they are."""


class PlanReason(StrEnum):
    """Why the device has to do that."""

    AUTO_SYNC_OFF = "auto_sync_off"
    POLICY_OFF = "policy_off"
    NOTHING = "nothing"
    DELETED_ELSEWHERE = "deleted_elsewhere"
    NEW = "new"
    NOT_HERE = "not_here"
    BACKUP = "backup"
    OPEN_CONFLICT = "open_conflict"
    IDENTICAL = "identical"
    BEHIND = "behind"
    BASE_NOT_SYNCED = "base_not_synced"
    REGRESSES = "regresses"
    CHANGED = "changed"
    UNITS = "units"
    DIVERGED = "diverged"


class PlanIntent(StrEnum):
    """What the device is about to do."""

    LAUNCH = "launch"
    EXIT = "exit"
    SUSPEND = "suspend"
    RESUME = "resume"
    BACKGROUND = "background"
    MANUAL = "manual"


class OtherDeviceState(StrEnum):
    """What another device is at."""

    SESSION_ACTIVE = "session_active"
    SESSION_SUSPENDED = "session_suspended"
    UPLOAD_OPEN = "upload_open"
    UPLOAD_PENDING = "upload_pending"


class Proceed(StrEnum):
    """Whether the game may start, or the device may continue."""

    YES = "yes"
    WAIT = "wait"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class PlannedBranch:
    """The branch of an open conflict."""

    conflict_id: UUID
    version: int
    key: bytes | None
    """The lineage key of its content; None once its bytes are lost."""
    device_id: str | None


@dataclass(frozen=True, slots=True)
class CloudSave:
    """A live save, in relation to what a device has of it."""

    savegame_id: UUID
    head_version: int
    head_device_id: str | None
    device_version: int | None
    """The version that the device uploaded or reported last."""
    branches: tuple[PlannedBranch, ...] = ()
    """Of its open conflicts."""


@dataclass(frozen=True, slots=True)
class DeviceContent:
    """What a device has of a save, in relation to its head."""

    key: bytes
    """The lineage key of its content."""
    relation: Relation
    is_set: bool
    """Whether it is a set of files, as far as one knows."""
    regresses_to: int | None = None
    """The ancestor of the head that has the same content, if the content would become the head."""
    merges_itself: bool | None = None
    """Whether a merge by units needs no choice; None if that is not known."""


@dataclass(frozen=True, slots=True)
class PlanConditions:
    """The same for all saves of a plan."""

    policy: SavePolicy
    auto_sync: bool
    intent: PlanIntent
    device_id: str

    @property
    def is_manual(self) -> bool:
        """Whether the user has asked for it."""
        return self.intent is PlanIntent.MANUAL

    @property
    def downloads(self) -> bool:
        """Whether the files of the device may be replaced."""
        return self.policy.mode != "backup" or self.is_manual


@dataclass(frozen=True, slots=True)
class PlannedSave:
    """What a device has to do with a save, and why."""

    action: PlanAction
    reason: PlanReason
    savegame_id: UUID | None = None
    head_version: int | None = None
    branch_version: int | None = None
    conflict_id: UUID | None = None
    regresses_to: int | None = None
    written_by_newer_version: str | None = None
    """Version of the game that wrote the head, if it is newer than the device's."""
    asks: bool = False
    """Whether the user has to decide first."""


def plan_save(
    content: DeviceContent | None,
    save: CloudSave | None,
    conditions: PlanConditions,
    *,
    is_trashed: bool = False,
    written_by_newer_version: str | None = None,
) -> PlannedSave:
    """Plans a save. ``content`` is None if the device has nothing, ``save`` if there is no live one; ``is_trashed``:
    its content belongs to a save in the trash, and not to the live one that has its name by now.
    """
    found = _decided(content, save, conditions, is_trashed=is_trashed)
    if save is None or found.action is PlanAction.DELETED:
        return found
    return replace(
        found,
        savegame_id=save.savegame_id,
        head_version=save.head_version,
        written_by_newer_version=written_by_newer_version,
    )


def _decided(
    content: DeviceContent | None, save: CloudSave | None, conditions: PlanConditions, *, is_trashed: bool
) -> PlannedSave:
    if not conditions.auto_sync and not conditions.is_manual:
        return PlannedSave(PlanAction.NONE, PlanReason.AUTO_SYNC_OFF)
    if conditions.policy.mode == "off":
        return PlannedSave(PlanAction.NONE, PlanReason.POLICY_OFF)
    if content is None:
        return _download(PlanReason.NOT_HERE, conditions) if save else PlannedSave(PlanAction.NONE, PlanReason.NOTHING)
    if is_trashed:
        return PlannedSave(PlanAction.DELETED, PlanReason.DELETED_ELSEWHERE)
    if save is None:
        return PlannedSave(PlanAction.UPLOAD, PlanReason.NEW)
    return _of_both(content, save, conditions)


def _download(reason: PlanReason, conditions: PlanConditions) -> PlannedSave:
    if conditions.downloads:
        return PlannedSave(PlanAction.DOWNLOAD, reason)
    return PlannedSave(PlanAction.NONE, PlanReason.BACKUP)


def _of_both(content: DeviceContent, save: CloudSave, conditions: PlanConditions) -> PlannedSave:
    """Of a save that the device has, too."""
    branch = _open_branch(content, save, conditions.device_id)
    if branch:
        return PlannedSave(
            PlanAction.CONFLICT,
            PlanReason.OPEN_CONFLICT,
            conflict_id=branch.conflict_id,
            branch_version=branch.version,
            asks=True,
        )
    if content.relation is Relation.IDENTICAL:
        return PlannedSave(PlanAction.NONE, PlanReason.IDENTICAL)
    if content.relation is Relation.BEHIND:
        return _download(PlanReason.BEHIND, conditions)
    if content.relation is Relation.DESCENDANT:
        return _onto_the_head(content, save, conditions.device_id)
    if conditions.policy.merge == "units" and content.merges_itself:
        return PlannedSave(PlanAction.MERGE, PlanReason.UNITS)
    return PlannedSave(PlanAction.CONFLICT, PlanReason.DIVERGED, asks=True)


def _open_branch(content: DeviceContent, save: CloudSave, device_id: str) -> PlannedBranch | None:
    """The branch of the device in an open conflict, or one with the device's content."""
    fitting = (one for one in save.branches if one.device_id == device_id or one.key == content.key)
    return next(fitting, None)


def _onto_the_head(content: DeviceContent, save: CloudSave, device_id: str) -> PlannedSave:
    had_head = is_synced(device_id, save.device_version, save.head_version, save.head_device_id)
    if content.is_set and not had_head:
        return PlannedSave(PlanAction.CONFLICT, PlanReason.BASE_NOT_SYNCED, asks=True)
    if content.regresses_to is not None:
        return PlannedSave(PlanAction.UPLOAD, PlanReason.REGRESSES, regresses_to=content.regresses_to, asks=True)
    return PlannedSave(PlanAction.UPLOAD, PlanReason.CHANGED)


_UNKNOWN = datetime.max.replace(tzinfo=UTC)


def is_newer_version(head: str | None, own: str | None, first_seen: Mapping[str, datetime]) -> bool:
    """Whether the head was written by a newer version of the game. A version that was never seen counts as seen now."""
    if head is None or own is None or head == own:
        return False
    return first_seen.get(head, _UNKNOWN) > first_seen.get(own, _UNKNOWN)


_BEFORE_A_GAME = frozenset({PlanIntent.LAUNCH, PlanIntent.RESUME, PlanIntent.MANUAL})
_ASKS = frozenset(
    {OtherDeviceState.SESSION_ACTIVE, OtherDeviceState.SESSION_SUSPENDED, OtherDeviceState.UPLOAD_PENDING}
)


def may_proceed(saves: Iterable[PlannedSave], others: Collection[OtherDeviceState], intent: PlanIntent) -> Proceed:
    """Whether the device may proceed: what it has to decide, and what other devices have not uploaded, comes first."""
    if any(save.asks for save in saves):
        return Proceed.ASK
    if intent not in _BEFORE_A_GAME:
        return Proceed.YES
    if not _ASKS.isdisjoint(others):
        return Proceed.ASK
    return Proceed.WAIT if OtherDeviceState.UPLOAD_OPEN in others else Proceed.YES
