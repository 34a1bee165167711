"""What the modules of this client pass to each other: the files of a save, as a folder has them and as the cloud does.

A *path* is that of a file in a save: ``<root>/<relative path>``, with ``/``, in NFC, escaped for all systems
(``paths.to_cloud``). A *disk name* is the same file below the folder of its root, as the disk spells it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LATEST_NS = 2**63 - 1


def nanoseconds(time_ns: int) -> int:
    """A time of a file that fits into 64 bits: some disks and games write such as of the year 30000."""
    return min(time_ns, _LATEST_NS)


def mtime_of(found: os.stat_result) -> int:
    """When a file was modified, in nanoseconds."""
    return nanoseconds(found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of a save on this machine."""

    size: int
    mtime_ns: int
    sha256: str
    """In lower-case hex."""
    disk_name: str
    """Below the folder of its root, with ``/``; the parts as the disk spells them."""

    @property
    def identity(self) -> str:
        """What lineage compares: files on a disk are neither packed nor encrypted."""
        return self.sha256


@dataclass(frozen=True, slots=True)
class CloudFile:
    """A file of a version in the cloud."""

    size: int
    sha256: str
    mtime_ns: int | None = None
    """The modification time of the file where it was uploaded."""
    raw_sha256: str | None = None
    raw_size: int | None = None
    content_encoding: str | None = None
    encryption: Mapping[str, str] | None = None

    @property
    def identity(self) -> str:
        """What lineage compares: two contents with the same identity are the same save."""
        return (self.encryption or {}).get("identity") or self.raw_sha256 or self.sha256

    @property
    def is_packed(self) -> bool:
        """Whether the cloud's bytes have to be unpacked before they are a file of the game."""
        return self.raw_sha256 is not None and self.content_encoding in ("gzip", "zstd")

    @property
    def disk_sha256(self) -> str:
        """The hash of the file on a disk."""
        return self.raw_sha256 if self.raw_sha256 is not None and self.is_packed else self.sha256


LocalFiles = Mapping[str, LocalFile]
"""By path."""
CloudFiles = Mapping[str, CloudFile]
"""By path."""
RootFolders = Mapping[str, Path]
"""The folder of each root on this machine, by the name of the root. A root without a folder here is left out."""


@dataclass(frozen=True, slots=True)
class SyncedSlot:
    """The version of a slot that this device had last: uploaded, downloaded, or resolved."""

    slot_name: str
    savegame_id: str
    """Empty where the cloud does not know the save any more; the version is 0 then."""
    version: int
    content_identity: str
    files: LocalFiles
    """What stands in the folders since then. Only these paths may ever be deleted."""
    elsewhere: CloudFiles = field(default_factory=dict)
    """Files of the version in roots that this machine has no folder for. They stay in the next version."""


@dataclass(frozen=True, slots=True)
class FetchedVersion:
    """A version that is ready to be applied: every content that the folders lack lies in the staging folder."""

    slot_name: str
    savegame_id: str
    version: int
    content_identity: str
    files: CloudFiles
    """All files of the version."""
    contents: Mapping[str, Path]
    """By ``disk_sha256``: complete, verified files, unpacked. Left out are those that a folder has under their path."""
