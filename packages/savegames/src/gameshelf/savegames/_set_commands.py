"""Validated commands of sets of files, plans and preferences."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.paging import Page, PageNumber
from gameshelf.kernel.text import NORMALISED, Name
from gameshelf.savegames._commands import (
    MAX_FILE_SIZE,
    MAX_PLAYTIME,
    MAX_VERSION,
    Comment,
    ContentIdentity,
    DeviceId,
    Encryption,
    SavesCommand,
    Sha256,
    SlotName,
    VersionNumber,
)
from gameshelf.savegames._files import SaveFile
from gameshelf.savegames._limits import MAX_HASHES, MAX_SET_FILES, MAX_SLOTS_PLANNED, MAX_UNITS_ASKED, MAX_WANTED
from gameshelf.savegames._models import ConflictPolicy
from gameshelf.savegames._multipart_layout import MAX_PARTS
from gameshelf.savegames._paths import MAX_PATH
from gameshelf.savegames._plans import PlanIntent
from pydantic import Field

_VALUES_OF_A_FILE = 14
_FILES_PER_PAGE = 1000

FilePath = Annotated[str, Field(min_length=1, max_length=MAX_PATH), NORMALISED]
GameVersionId = Annotated[Name, Field(max_length=100)]
DeviceName = Annotated[Name, Field(max_length=100)]


class FileEntry(SavesCommand):
    """A file to save."""

    path: FilePath | None
    """Path within the set, with `/` between its parts; null: the save is a single file, and this is its only entry."""
    size_bytes: int = Field(ge=0, le=MAX_FILE_SIZE)
    """Size of the bytes."""
    sha256: Sha256
    """SHA-256 of the bytes, in hex."""
    raw_sha256: Sha256 | None = None
    """SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or `zstd`.
    """
    raw_size_bytes: int | None = Field(default=None, ge=0, le=MAX_FILE_SIZE)
    """Size of the unpacked bytes."""
    content_encoding: Annotated[Name, Field(max_length=50)] | None = None
    """Encoding of the bytes, such as `gzip`; the bytes are stored as they are."""
    encryption: Encryption | None = None
    """How the client encrypted the bytes."""
    modified_at: Moment | None = None
    """When the file changed on the device."""
    part_sha256: tuple[Sha256, ...] | None = Field(default=None, min_length=1, max_length=MAX_PARTS)
    """SHA-256 of each part, in order, in hex: the file is sent in parts. Only for more than 8 MiB; each part but the
    last one has a thousandth of the size, rounded up, and 8 MiB at least.
    """

    @property
    def content(self) -> bytes:
        """The SHA-256 as bytes."""
        return bytes.fromhex(self.sha256)

    @property
    def raw(self) -> bytes | None:
        """The SHA-256 of the unpacked bytes."""
        return bytes.fromhex(self.raw_sha256) if self.raw_sha256 else None

    @property
    def parts(self) -> bytes | None:
        """The hashes of the parts, one behind the other; None: the file is sent by one request."""
        return bytes.fromhex("".join(self.part_sha256)) if self.part_sha256 else None

    @property
    def as_file(self) -> SaveFile:
        """The file as a list holds it."""
        content, raw = self.content, self.raw
        named = self.encryption.identity if self.encryption else None
        identity = bytes.fromhex(named) if named else raw
        return SaveFile(
            self.path or "",
            self.size_bytes,
            content,
            None if identity == content else identity,
            raw,
            self.raw_size_bytes,
            self.modified_at,
            self.content_encoding,
            self.encryption.model_dump_json(exclude_none=True) if self.encryption else None,
        )


class NewSet(SavesCommand):
    """Files to save: all of them (`files`), or what changed against `base_version` (`put`, `remove`, `set_sha256`)."""

    most_values: ClassVar[int] = (MAX_SET_FILES + MAX_PARTS) * _VALUES_OF_A_FILE
    """A file of the highest number of parts, or files of fewer."""

    product_id: UUID
    """Product that the save belongs to."""
    save_slot_name: SlotName
    """Name of the save within its product."""
    files: tuple[FileEntry, ...] | None = Field(default=None, max_length=MAX_SET_FILES)
    """All files of the save."""
    put: tuple[FileEntry, ...] | None = Field(default=None, max_length=MAX_SET_FILES)
    """Files that are new or changed against `base_version`."""
    remove: tuple[FilePath, ...] | None = Field(default=None, max_length=MAX_SET_FILES)
    """Paths of `base_version` that are no longer there."""
    set_sha256: Sha256 | None = None
    """`file_hash_sha256` of the result of a delta, in hex."""
    savegame_id: UUID | None = None
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """Version that the files grew from; 0: from nothing. Left out, it is the version that the device uploaded or
    reported (`synced`) last.
    """
    device_id: DeviceId | None = None
    """Device that uploads. A set needs it."""
    device_name: DeviceName | None = None
    """Name of the device, for the user's other devices."""
    client_modified_at: Moment | None = None
    """When the save changed on the device; left out, it is the newest `modified_at`."""
    comment: Comment | None = None
    """Comment of the user."""
    playtime_seconds: int | None = Field(default=None, ge=0, le=MAX_PLAYTIME)
    """Playtime in the save."""
    conflict_policy: ConflictPolicy | None = None
    """How a conflict is resolved if the upload is a branch; left out, as the product's policy has it."""
    game_version_id: GameVersionId | None = None
    """Version of the game that wrote the save."""
    policy_revision: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """Revision of the product's policy that the device used."""
    confirm_removals: int | None = Field(default=None, ge=1, le=MAX_SET_FILES)
    """Number of files that the user agreed to remove."""

    @property
    def is_delta(self) -> bool:
        """Whether the files are those of the base with changes."""
        return self.files is None

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """The files that the request describes."""
        return (self.put if self.files is None else self.files) or ()

    @property
    def single(self) -> FileEntry | None:
        """The entry of a single file; None: a set."""
        entries = self.files or ()
        return entries[0] if len(entries) == 1 and entries[0].path is None else None

    @property
    def modified_at(self) -> datetime | None:
        """When the save changed on the device, so far as the request says."""
        times = [entry.modified_at for entry in self.entries if entry.modified_at]
        return self.client_modified_at or max(times, default=None)


class CommitUpload(SavesCommand):
    """Nothing: the upload is named by the address."""


class AskedUnit(SavesCommand):
    """A unit of a save, as a device has it."""

    name: Annotated[str, Field(min_length=1, max_length=255), NORMALISED]
    """Name of the unit, by the product's policy."""
    sha256: Sha256
    """`content_identity` of its files alone, in hex."""


class AskedSlot(SavesCommand):
    """A save, as a device has it."""

    slot_name: SlotName
    """Name of the save within its product."""
    savegame_id: UUID | None = None
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """Version that the device's files grew from; 0: from nothing. Left out, it is the version that the device uploaded
    or reported (`synced`) last.
    """
    content_hash: ContentIdentity | None = None
    """`content_identity` of what the device has, in hex; null: nothing."""
    units: tuple[AskedUnit, ...] = Field(default=(), max_length=MAX_UNITS_ASKED)
    """The units of what the device has, if the product's policy has units."""


class PlanSaves(SavesCommand):
    """What a device has of the saves of a product, and what it is about to do."""

    most_values: ClassVar[int] = MAX_SLOTS_PLANNED * (8 + 3 * MAX_UNITS_ASKED)

    product_id: UUID
    """Product of the saves."""
    device_id: DeviceId
    """Device that asks."""
    device_name: DeviceName | None = None
    """Name of the device, for the user's other devices."""
    policy_revision: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """Revision of the product's policy that the device has."""
    game_version_id: GameVersionId | None = None
    """Version of the game on the device."""
    intent: PlanIntent
    slots: tuple[AskedSlot, ...] = Field(default=(), max_length=MAX_SLOTS_PLANNED)
    """The saves that the device knows."""


class DownloadSet(SavesCommand):
    """The version to download, and what the device has already."""

    version: VersionNumber | None = None
    """Version to download; left out, the head."""
    have: tuple[Sha256, ...] = Field(default=(), max_length=MAX_HASHES)
    """SHA-256 of bytes that the device has, in hex."""
    have_version: VersionNumber | None = None
    """Version whose files the device has."""
    want: tuple[Sha256, ...] = Field(default=(), max_length=MAX_WANTED)
    """SHA-256 of the bytes whose URLs are needed, in hex; then the answer lists these files alone."""
    device_id: DeviceId | None = None
    """Device that downloads. It decides nothing: report `synced` once the bytes are stored."""


class DownloadOneFile(SavesCommand):
    """The file of a version to download."""

    version: VersionNumber | None = None
    """Version that has the file; left out, the head."""
    path: FilePath
    """Path of the file within the set."""


class FilesFilter(SavesCommand):
    """A page of the files of a version."""

    page: PageNumber = 1
    limit: int = Field(default=20, ge=1, le=_FILES_PER_PAGE)
    """Number of files per page."""

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Preference(SavesCommand):
    """Whether saves are synchronised without being asked."""

    auto_sync: bool
    """With `false` a device synchronises only when its user asks for it."""
