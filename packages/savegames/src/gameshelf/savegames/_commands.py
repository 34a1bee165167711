"""Validated commands and filters of clients."""

import re
from typing import Annotated
from uuid import UUID

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import NORMALISED, ONE_LINE, Name
from gameshelf.savegames._differences import MergeSide
from gameshelf.savegames._limits import MAX_SET_FILES
from gameshelf.savegames._models import ConflictPolicy, Resolution
from gameshelf.savegames._naming import MAX_IDENTITY, MAX_NAME, slot_key
from gameshelf.savegames._units import MAX_UNIT_NAME
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_VERSION = 2**53
MAX_PLAYTIME = 10**12
MAX_FILE_SIZE = 2**53
MAX_COMMENT = 500


def _usable(name: str) -> str:
    if ".." in re.split(r"[/\\]", name):
        raise PydanticCustomError("slot_name", "a slot name may not contain '..' as a folder")
    if not slot_key(name):
        raise PydanticCustomError("text_blank", "must contain more than dots and spaces")
    return name


SlotName = Annotated[str, Field(min_length=1, max_length=MAX_NAME), NORMALISED, ONE_LINE, AfterValidator(_usable)]
DeviceId = Annotated[Name, Field(max_length=100)]
Comment = Annotated[str, Field(max_length=MAX_COMMENT), NORMALISED]
Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$", max_length=64)]
ContentIdentity = Annotated[str, Field(pattern="^([0-9a-fA-F]{2})+$", min_length=32, max_length=2 * MAX_IDENTITY)]
UnitName = Annotated[str, Field(min_length=1, max_length=MAX_UNIT_NAME), NORMALISED]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class SavesCommand(BaseModel):
    """What all commands share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Encryption(SavesCommand):
    """How the client encrypted the bytes. The service never has the key."""

    scheme: Annotated[Name, Field(max_length=50)]
    """Name of the scheme, as the client calls it."""
    key_id: Name
    """Key that decrypts the bytes, as the client calls it."""
    identity: ContentIdentity | None = None
    """HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content."""


class NewUpload(SavesCommand):
    """Bytes to save."""

    product_id: UUID
    """Product that the save belongs to."""
    save_slot_name: SlotName
    """Name of the save within its product."""
    file_size_bytes: int = Field(ge=0, le=MAX_FILE_SIZE)
    """Size of the bytes."""
    file_hash_sha256: Sha256
    """SHA-256 of the bytes, in hex."""
    client_modified_at: Moment | None = None
    """When the file changed on the device."""
    savegame_id: UUID | None = None
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """Version that the bytes grew from; 0: from nothing. Left out, it is the version that the device uploaded or
    reported (`synced`) last, and without a device the head.
    """
    device_id: DeviceId | None = None
    """Device that uploads."""
    comment: Comment | None = None
    """Comment of the user."""
    playtime_seconds: int | None = Field(default=None, ge=0, le=MAX_PLAYTIME)
    """Playtime in the save."""
    content_encoding: Annotated[Name, Field(max_length=50)] | None = None
    """Encoding of the bytes, such as `gzip`; the bytes are stored as they are."""
    encryption: Encryption | None = None
    """How the client encrypted the bytes."""
    raw_sha256: Sha256 | None = None
    """SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or `zstd`.
    """
    raw_size_bytes: int | None = Field(default=None, ge=0, le=MAX_FILE_SIZE)
    """Size of the unpacked bytes."""
    conflict_policy: ConflictPolicy | None = None
    """How a conflict is resolved if the upload is a branch; left out, as the product's policy has it."""
    confirm_removals: int | None = Field(default=None, ge=1, le=MAX_SET_FILES)
    """Number of files that the user agreed to remove, where the bytes replace a set."""

    @property
    def content(self) -> bytes:
        """The SHA-256 as bytes."""
        return bytes.fromhex(self.file_hash_sha256)

    @property
    def raw(self) -> bytes | None:
        """The SHA-256 of the unpacked bytes."""
        return bytes.fromhex(self.raw_sha256) if self.raw_sha256 else None

    @property
    def identity(self) -> bytes:
        """The identity that lineage compares. It stays the same if the save is packed or encrypted again."""
        if self.encryption and self.encryption.identity:
            return bytes.fromhex(self.encryption.identity)
        return self.raw or self.content


class ConfirmUpload(SavesCommand):
    """The upload to confirm."""

    internal_save_id: UUID
    """Id of the upload."""
    s3_path: str | None = Field(default=None, max_length=2048)
    """Ignored. Older clients send it."""


class SavesFilter(SavesCommand):
    """Saves of one product, or of all; those in the trash, or the others."""

    product_id: UUID | None = None
    """Only saves of this product."""
    trashed: bool = False
    """With `true` the saves in the trash, in place of the others."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Download(SavesCommand):
    """The version to download; left out, the head. A download proves nothing: a device reports ``synced`` once it has
    stored the bytes.
    """

    version: VersionNumber | None = None
    """Version to download; left out, the head."""
    device_id: DeviceId | None = None
    """Device that downloads. It decides nothing: report `synced` once the bytes are stored."""


class Synced(SavesCommand):
    """The version that a device has."""

    version: VersionNumber
    """Version whose bytes the device has."""
    device_id: DeviceId
    """Device that has them."""


class Restore(SavesCommand):
    """The version to restore."""

    version: VersionNumber
    """Version whose bytes become the head."""
    device_id: DeviceId | None = None
    """Device that restores, which counts as the device of the new head."""
    units: Annotated[tuple[UnitName, ...], Field(min_length=1, max_length=MAX_SET_FILES)] | None = None
    """Only these units of a set; the others stay as the head has them. Left out, the whole version is restored."""


class VersionChanges(SavesCommand):
    """Changes to a version; a field that is left out stays as it is."""

    is_pinned: bool | None = None
    """Whether the version is kept when old versions are pruned."""
    comment: Comment | None = None
    """Comment of the user; null clears it."""


class UploadsFilter(SavesCommand):
    """Open uploads of one product, or of all."""

    product_id: UUID | None = None
    """Only uploads for this product."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Deletion(SavesCommand):
    """Whether the save is deleted at once, without the trash."""

    permanent: bool = False
    """With `true` the save is deleted at once, and not put into the trash."""


class ConflictsFilter(SavesCommand):
    """Open conflicts of one product, or of all."""

    product_id: UUID | None = None
    """Only conflicts of this product."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Resolve(SavesCommand):
    """How to resolve a conflict."""

    resolution: Resolution
    """How the conflict is resolved."""
    copy_slot_name: SlotName | None = None
    """Name of the new save with `keep_both`; left out, `<name> (conflict v<number>)`."""
    head_version: VersionNumber | None = None
    """Head that the user has seen; left out, the one that the last 409 described."""
    branch_version: VersionNumber | None = None
    """Branch that the user has seen; left out, the one that the last 409 described."""
    units: Annotated[dict[UnitName, MergeSide], Field(max_length=MAX_SET_FILES)] | None = None
    """With `merge` the side of each unit. Units that only one side has changed may be left out."""
