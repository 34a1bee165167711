"""What a client may ask and change, validated."""

import re
from typing import Annotated
from uuid import UUID

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from gameshelf.kernel.text import NORMALISED, ONE_LINE, Name
from gameshelf.savegames.models import ConflictPolicy, Resolution
from gameshelf.savegames.naming import MAX_IDENTITY, MAX_NAME, slot_key
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
Identity = Annotated[str, Field(pattern="^([0-9a-fA-F]{2})+$", min_length=32, max_length=2 * MAX_IDENTITY)]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Encryption(_Command):
    """How the client encrypted the bytes. The service keeps the mark and never has the key."""

    scheme: Annotated[Name, Field(max_length=50)]
    key_id: Name
    identity: Identity | None = None
    """A client's HMAC of the plain bytes, in hex: the same save encrypted anew is the same save."""


class NewUpload(_Command):
    """Bytes that a client wants to save."""

    product_id: UUID
    save_slot_name: SlotName
    file_size_bytes: int = Field(ge=0, le=MAX_FILE_SIZE)
    file_hash_sha256: Sha256
    client_modified_at: Moment | None = None
    savegame_id: UUID | None = None
    """The save that ``base_version`` is of, where another one may have its name by now."""
    base_version: int | None = Field(default=None, ge=0, le=MAX_VERSION)
    """The version that they grew from; 0: from nothing. Left out, what the device uploaded last or said that it has
    (``synced``): of one that did neither, from nothing. Without a device, the head."""
    device_id: DeviceId | None = None
    comment: Comment | None = None
    playtime_seconds: int | None = Field(default=None, ge=0, le=MAX_PLAYTIME)
    content_encoding: Annotated[Name, Field(max_length=50)] | None = None
    encryption: Encryption | None = None
    raw_sha256: Sha256 | None = None
    """The hash of the bytes once unpacked, by ``content_encoding``: ``identity``, ``gzip`` or ``zstd``. Verified."""
    raw_size_bytes: int | None = Field(default=None, ge=0, le=MAX_FILE_SIZE)
    conflict_policy: ConflictPolicy = ConflictPolicy.MANUAL

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
        """What lineage compares: the same save, packed or encrypted again, is the same."""
        if self.encryption and self.encryption.identity:
            return bytes.fromhex(self.encryption.identity)
        return self.raw or self.content


class ConfirmUpload(_Command):
    """The bytes have been sent."""

    internal_save_id: UUID
    s3_path: str | None = Field(default=None, max_length=2048)
    """What older clients repeat. It decides nothing."""


class SavesFilter(_Command):
    """Saves of one product, or of all; those in the trash, or the others."""

    product_id: UUID | None = None
    trashed: bool = False
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Download(_Command):
    """Which version to download: the head, if left out. That a device asked proves nothing: it says ``synced`` once it
    has the bytes.
    """

    version: VersionNumber | None = None
    device_id: DeviceId | None = None


class Synced(_Command):
    """A device has the bytes of this version now."""

    version: VersionNumber
    device_id: DeviceId


class Restore(_Command):
    """The version whose bytes become the head's."""

    version: VersionNumber


class VersionChanges(_Command):
    """Changes to a version; what is left out stays as it is."""

    is_pinned: bool | None = None
    comment: Comment | None = None


class UploadsFilter(_Command):
    """Open uploads of one product, or of all."""

    product_id: UUID | None = None
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Deletion(_Command):
    """Whether it goes at once, and not into the trash."""

    permanent: bool = False


class ConflictsFilter(_Command):
    """Open conflicts of one product, or of all."""

    product_id: UUID | None = None
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class Resolve(_Command):
    """What is to become of a branch.

    ``head_version`` and ``branch_version`` are what the player decided on; left out, what the conflict's last
    description said. Where another one is there now, the resolution is refused with a fresh description.
    """

    resolution: Resolution
    copy_slot_name: SlotName | None = None
    """What the branch is called with ``keep_both``."""
    head_version: VersionNumber | None = None
    branch_version: VersionNumber | None = None
