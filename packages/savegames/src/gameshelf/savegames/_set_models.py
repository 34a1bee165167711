"""The tables of sets of files, of policies, and of what devices intend."""

from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.savegames._table import SavegamesTable, time_column
from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class SavegameManifest(SavegamesTable, table=True):
    """The list of the files of a set. The versions that a restore makes of one version share its list."""

    __tablename__ = "savegame_manifests"
    __table_args__ = (
        # The cascade is for the release before, which knows no sets; this one deletes the rows by itself.
        ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            ondelete="CASCADE",
        ),
        Index("ix_savegame_manifests_slot", "user_id", "slot_id"),
        CheckConstraint("length(file_hash_sha256) = 32", name="file_hash_sha256"),
        CheckConstraint("length(content_identity) = 32", name="content_identity"),
        CheckConstraint("file_count BETWEEN 1 AND 10000", name="file_count"),
        CheckConstraint("content_count BETWEEN 1 AND file_count", name="content_count"),
        CheckConstraint("total_bytes >= 0", name="total_bytes"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    slot_id: UUID
    file_hash_sha256: bytes = Field(sa_type=LargeBinary)
    """The canonical hash over the hashes of the files."""
    content_identity: bytes = Field(sa_type=LargeBinary)
    """The canonical hash over the identities of the files."""
    file_count: int
    content_count: int
    """The number of different contents."""
    total_bytes: int = Field(sa_type=BigInteger)
    """The sum of the sizes of all files, equal ones counted each."""
    body: bytes = Field(sa_type=LargeBinary)
    """The list itself, packed."""
    created_at: datetime = time_column()


class SavegameManifestContent(SavegamesTable, table=True):
    """A content of a list. Rows exist while an open upload or a version with its bytes has the list."""

    __tablename__ = "savegame_manifest_contents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "manifest_id"],
            ["savegames.savegame_manifests.user_id", "savegames.savegame_manifests.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["user_id", "content_id"],
            ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"],
            ondelete="CASCADE",
        ),
        Index("ix_savegame_manifest_contents_content", "user_id", "content_id"),
    )

    user_id: UUID = Field(primary_key=True)
    manifest_id: UUID = Field(primary_key=True)
    content_id: UUID = Field(primary_key=True)


class SavegameUploadFile(SavegamesTable, table=True):
    """A content that an open upload of a set has yet to bring, or whose unpacked bytes have yet to be verified."""

    __tablename__ = "savegame_upload_files"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "upload_id"],
            ["savegames.savegame_uploads.user_id", "savegames.savegame_uploads.id"],
            ondelete="CASCADE",
        ),
        Index("ix_savegame_upload_files_hash", "user_id", "sha256"),
        CheckConstraint("length(sha256) = 32", name="sha256"),
        CheckConstraint("size_bytes >= 0", name="size_bytes"),
    )

    user_id: UUID = Field(primary_key=True)
    upload_id: UUID = Field(primary_key=True)
    sha256: bytes = Field(sa_type=LargeBinary, primary_key=True)
    size_bytes: int = Field(sa_type=BigInteger)
    content_encoding: str | None = Field(default=None, max_length=50)
    """The encoding that is unpacked; null: nothing is."""
    raw_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    raw_size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    part_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The hashes of the parts, one behind the other; null: the content is sent by one request."""
    multipart_id: str | None = Field(default=None, max_length=1024)
    """The multipart upload that the store has begun; null: none."""
    content_id: UUID | None = None
    """The pending content that was verified, or the live one whose unpacked bytes have to be. It is no reference, since
    pending contents may be deleted at any time.
    """
    problem: str | None = Field(default=None, max_length=10)
    """What the last commit found: ``missing``, ``sha256``, ``size`` or ``raw``."""


class SavegameDeviceState(SavegamesTable, table=True):
    """What a device intended last with the saves of a product, and whether it still has something to upload."""

    __tablename__ = "savegame_device_states"

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    device_id: str = Field(primary_key=True, max_length=100)
    device_name: str | None = Field(default=None, max_length=100)
    intent: str = Field(max_length=12)
    intent_at: datetime = time_column()
    pending_since: datetime | None = time_column(default=None, nullable=True)
    pending_slot: str | None = Field(default=None, max_length=255)
    """Not used: ``pending_slots`` has taken its place."""
    pending_slots: list[str] | None = Field(default=None, sa_type=ARRAY(Text), nullable=True)
    """The names of the saves that it still has to upload."""
    committed_at: datetime | None = time_column(default=None, nullable=True)
    """When the device committed an upload last."""


class SavegamePreference(SavegamesTable, table=True):
    """Whether the saves of a product are synchronised without being asked. The nil product: of the account."""

    __tablename__ = "savegame_preferences"

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    auto_sync: bool = Field(sa_type=Boolean)
    changed_at: datetime = time_column()


class SavegamePolicy(SavegamesTable, table=True):
    """The policy of a product. It belongs to no user: with shards it is a reference table.

    The row of a policy that was removed stays (``default``), so that none of its revisions is used again.
    """

    __tablename__ = "savegame_policies"
    __table_args__ = (
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("source IN ('catalog', 'community', 'default')", name="source"),
    )

    product_id: UUID = Field(primary_key=True, sa_type=Uuid)
    revision: int = Field(sa_type=BigInteger)
    source: str = Field(max_length=10)
    policy: dict[str, Any] = Field(sa_type=JSONB)
    """Normalised, without its revision and source."""
    said_at: datetime = time_column()
    """When its source stated it."""
    changed_at: datetime = time_column()


class SavegameGameVersion(SavegamesTable, table=True):
    """When a version of a game was first seen. It belongs to no user: with shards it is a reference table."""

    __tablename__ = "savegame_game_versions"

    product_id: UUID = Field(primary_key=True, sa_type=Uuid)
    game_version_id: str = Field(primary_key=True, max_length=100)
    first_seen_at: datetime = time_column()
