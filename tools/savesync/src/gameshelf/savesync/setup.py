"""What a synchronisation gets from its caller: where it runs, what was decided beforehand, where it shows itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from gameshelf.savesync.files import RootFolders
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.state import Device
from gameshelf.savesync.store import NoProgress, TransferProgress

SlotScope = Literal["all", "os"]


class SyncProgress(Protocol):
    """Shows what takes long."""

    def say(self, text: str) -> None: ...

    def transfer(self, title: str) -> TransferProgress: ...

    def applied(self, done: int, total: int) -> None: ...


class SilentProgress:
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Ignores it."""

    def transfer(self, title: str) -> TransferProgress:
        """Counts nothing."""
        return NoProgress()

    def applied(self, done: int, total: int) -> None:
        """Ignores it."""


@dataclass(frozen=True, slots=True)
class SyncSetup:
    """What a run needs to know of this installation."""

    product_id: str
    device: Device
    machine: Machine
    state_folder: Path
    cache_file: Path
    slot_name: str = "main"
    scope: SlotScope = "all"
    """Which roots of the policy the slot has: one path cannot hold the files of two systems."""
    policy: FolderPolicy | None = None
    """A policy of the launcher's own, in place of the service's."""
    game_version: str | None = None
    """Version of the game on this machine: the report names a save that a newer one wrote."""
    folders: RootFolders = field(default_factory=dict)
    """Folders of roots that the launcher knows. A policy without roots has these, and everything in them."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What the caller decided beforehand."""

    is_immediate: bool = False
    """Upload without waiting until the files settle."""
    confirm_removals: int | None = None
    """The number of files that a new version may lack."""
    accepts_older: bool = False
    """Upload content that an older version of the history had already."""
    takes_over: bool = False
    """Upload what another account of this machine has synchronised last."""
    undeletes: bool = False
    """Take a save out of the trash that was deleted elsewhere."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the upload: ``comment``, ``playtime_seconds``, ``game_version_id``."""

    @property
    def may_remove(self) -> bool:
        """Whether a root that held files may be empty now."""
        return self.confirm_removals is not None
