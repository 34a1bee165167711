"""The tables of the schema ``savegames``. Keys of users' tables begin with ``user_id``, so that they can be sharded."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from gameshelf.savegames._table import SavegamesTable, json_column, time_column
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)
from sqlmodel import Field


class ConflictPolicy(StrEnum):
    """How an upload that is a branch is resolved: by the user (`manual`), or in favour of the version that changed last
    (`most_recent`) or was played longest (`longest_playtime`).
    """

    MANUAL = "manual"
    MOST_RECENT = "most_recent"
    LONGEST_PLAYTIME = "longest_playtime"


class Resolution(StrEnum):
    """How a conflict is resolved: the bytes of the branch (`keep_local`) or of the head (`keep_cloud`) become the new
    head, the branch becomes a save of its own (`keep_both`), or each unit of the new head is that of one side
    (`merge`).
    """

    KEEP_LOCAL = "keep_local"
    """The new head has the content of the branch."""
    KEEP_CLOUD = "keep_cloud"
    """The new head has the content of the head."""
    KEEP_BOTH = "keep_both"
    """The branch becomes a slot of its own."""
    MERGE = "merge"
    """The new head has for each unit the files of one side."""


class ContentState(StrEnum):
    """The state of a content and its object in the store."""

    PENDING = "pending"
    """A confirmation is about to create the object, or has created it and not committed yet."""
    LIVE = "live"
    DROPPED = "dropped"
    """Nothing needs the content any more. Its object is deleted after ``delete_after``, and nothing joins it again."""


class ContentKind(StrEnum):
    """What the bytes of a content are."""

    FILE = "file"
    """A file that a client uploaded."""
    LIST = "list"
    """The list of the files of a set, which the service writes."""


class SavegameSlot(SavegamesTable, table=True):
    """A save of a game. It is visible once it has a head."""

    __tablename__ = "savegame_slots"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        # Support names a save by its id alone, or by the beginning of it. The planner would prefer an index of the
        # column itself to the user's key.
        Index("ix_savegame_slots_id", text("uuid_send(id)")),
        # The name of a save in the trash is free.
        Index(
            "uq_savegame_slots_name",
            "user_id",
            "product_id",
            "slot_name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        # Names that a file system may treat as equal are one save.
        Index(
            "uq_savegame_slots_key",
            "user_id",
            "product_id",
            "slot_key",
            unique=True,
            postgresql_where=text("deleted_at IS NULL AND slot_key IS NOT NULL"),
        ),
        # For the job that fills ``slot_key``, which the release before does not write.
        Index("ix_savegame_slots_no_key", "user_id", "id", postgresql_where=text("slot_key IS NULL")),
        Index("ix_savegame_slots_trash", "user_id", "product_id", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_savegame_slots_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_savegame_slots_prune_at", "prune_at", postgresql_where=text("prune_at IS NOT NULL")),
        CheckConstraint("head_version <= last_version", name="head_version"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    slot_name: str = Field(max_length=255)
    slot_key: str | None = Field(default=None, max_length=1024)
    """The folded name. Null where it is not filled yet, or where an older save has the same one."""
    head_version: int | None = Field(default=None, sa_type=BigInteger)
    last_version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    """The highest number that was assigned. No number is assigned twice."""
    created_at: datetime = time_column()
    deleted_at: datetime | None = time_column(default=None, nullable=True)
    """When the save was put into the trash."""
    prune_at: datetime | None = time_column(default=None, nullable=True)
    """When some of the history becomes prunable with time alone."""


class SavegameNumber(SavegamesTable, table=True):
    """The highest version number of deleted saves, by folded name, so that no number is assigned again."""

    __tablename__ = "savegame_numbers"
    __table_args__ = (PrimaryKeyConstraint("user_id", "product_id", "slot_key"),)

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    slot_key: str = Field(primary_key=True, max_length=1024)
    """Empty: the row of all names beyond the limit, which share one number."""
    last_version: int = Field(sa_type=BigInteger)


class SavegameAllowance(SavegamesTable, table=True):
    """The bytes for which upload URLs were signed on the last day with such a request."""

    __tablename__ = "savegame_allowances"
    __table_args__ = (PrimaryKeyConstraint("user_id"),)

    user_id: UUID = Field(primary_key=True)
    day: date
    """In UTC."""
    signed_bytes: int = Field(sa_type=BigInteger)


class SavegameContent(SavegamesTable, table=True):
    """A content: bytes in an object of the store that no client can write."""

    __tablename__ = "savegame_contents"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        Index("ix_savegame_contents_key", "s3_object_key"),
        # The same bytes of a user are stored once.
        Index(
            "uq_savegame_contents_live",
            "user_id",
            "file_hash_sha256",
            unique=True,
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_savegame_contents_delete_after", "delete_after", postgresql_where=text("delete_after IS NOT NULL")),
        Index("ix_savegame_contents_missing", "missing_since", postgresql_where=text("missing_since IS NOT NULL")),
        Index("ix_savegame_contents_unwritten", "created_at", postgresql_where=text("NOT is_written")),
        # For sums of the used storage, which read nothing but this index.
        Index(
            "ix_savegame_contents_live_size",
            "user_id",
            postgresql_include=["file_size_bytes"],
            postgresql_where=text("state = 'live' AND kind = 'file'"),
        ),
        CheckConstraint("kind IN ('file', 'list')", name="kind"),
        CheckConstraint("state IN ('pending', 'live', 'dropped')", name="state"),
        CheckConstraint("(state = 'live') = (delete_after IS NULL)", name="delete_after"),
        CheckConstraint("file_size_bytes >= 0", name="file_size_bytes"),
        CheckConstraint("length(file_hash_sha256) = 32", name="file_hash_sha256"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    s3_object_key: str = Field(sa_type=String(1024, collation="C"))
    """It is compared byte by byte, as the store sorts its keys."""
    file_size_bytes: int = Field(sa_type=BigInteger)
    file_hash_sha256: bytes = Field(sa_type=LargeBinary)
    state: str = Field(max_length=10)
    created_at: datetime = time_column()
    delete_after: datetime | None = time_column(default=None, nullable=True)
    """When the object may be deleted. For a pending content: when its confirmation counts as abandoned."""
    missing_since: datetime | None = time_column(default=None, nullable=True)
    """Since when the object has been missing in the store."""
    kind: str = Field(max_length=10, sa_column_kwargs={"server_default": text("'file'")})
    is_written: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": text("true")})
    """False: a job has yet to write the object of this list, whose size is 0 until then."""
    list_revision: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": text("0")})
    """How often the object of this list became outdated, so that one that is written meanwhile does not count."""
    verified_at: datetime | None = time_column(default=None, nullable=True)
    """When the object of a pending content was found to have exactly the announced bytes."""
    raw_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The hash of the unpacked bytes, where it was verified."""
    raw_encoding: str | None = Field(default=None, max_length=50)
    """The encoding that was unpacked."""
    raw_size_bytes: int | None = Field(default=None, sa_type=BigInteger)


class SavegameMetadata(SavegamesTable, table=True):
    """One version of a slot. The row stays when its bytes are pruned."""

    __tablename__ = "savegame_metadata"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "slot_id", "version"),
        UniqueConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "slot_id"], ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"]
        ),
        ForeignKeyConstraint(
            ["user_id", "content_id"], ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"]
        ),
        ForeignKeyConstraint(
            ["user_id", "manifest_id"], ["savegames.savegame_manifests.user_id", "savegames.savegame_manifests.id"]
        ),
        Index(
            "ix_savegame_metadata_manifest",
            "user_id",
            "manifest_id",
            postgresql_where=text("manifest_id IS NOT NULL"),
        ),
        Index(
            "ix_savegame_metadata_content",
            "user_id",
            "content_id",
            postgresql_where=text("content_id IS NOT NULL"),
        ),
        # Only a few versions of a long history still have their bytes.
        Index(
            "ix_savegame_metadata_kept",
            "user_id",
            "slot_id",
            "version",
            postgresql_where=text("content_id IS NOT NULL"),
        ),
        # Of these a few keep their list, as the base of a merge.
        Index(
            "ix_savegame_metadata_pruned_lists",
            "user_id",
            "slot_id",
            "version",
            postgresql_where=text("content_id IS NULL AND manifest_id IS NOT NULL"),
        ),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("parent_version >= 0 AND parent_version < version", name="parent_version"),
        CheckConstraint("merged_version < version", name="merged_version"),
        CheckConstraint("(content_id IS NULL) = (pruned_at IS NOT NULL)", name="content_id"),
        CheckConstraint("length(file_hash_sha256) = 32", name="file_hash_sha256"),
    )

    user_id: UUID = Field(primary_key=True)
    slot_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    id: UUID
    parent_version: int = Field(sa_type=BigInteger)
    """The version that this one grew from; 0: it grew from nothing."""
    merged_version: int | None = Field(default=None, sa_type=BigInteger)
    """The second parent of a version that resolved a conflict."""
    in_head: bool = Field(sa_type=Boolean)
    """Whether the head is this version or grew from it. Otherwise the version is on a branch."""
    content_id: UUID | None = None
    """Null once the bytes are pruned. Of a set: the content that holds its list."""
    manifest_id: UUID | None = None
    """The list of the files of a set. A pruned version keeps it as long as it may be the base of a merge."""
    file_count: int | None = None
    """The number of files of a set; null: a single file."""
    game_version_id: str | None = Field(default=None, max_length=100)
    """The version of the game that wrote the save."""
    file_size_bytes: int = Field(sa_type=BigInteger)
    file_hash_sha256: bytes = Field(sa_type=LargeBinary)
    content_identity: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The identity that lineage compares; null: it is the hash."""
    client_modified_at: datetime | None = time_column(default=None, nullable=True)
    server_uploaded_at: datetime = time_column()
    device_id: str | None = Field(default=None, max_length=100)
    comment: str | None = Field(default=None, max_length=500)
    is_pinned: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": text("false")})
    playtime_seconds: int | None = Field(default=None, sa_type=BigInteger)
    content_encoding: str | None = Field(default=None, max_length=50)
    encryption: dict[str, Any] | None = json_column()
    pruned_at: datetime | None = time_column(default=None, nullable=True)


class SavegameUpload(SavegamesTable, table=True):
    """A reserved upload. Once it has ended, it stores the outcome for repeated confirmations."""

    __tablename__ = "savegame_uploads"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "slot_id"], ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"]
        ),
        ForeignKeyConstraint(
            ["user_id", "content_id"], ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"]
        ),
        ForeignKeyConstraint(
            ["user_id", "manifest_id"], ["savegames.savegame_manifests.user_id", "savegames.savegame_manifests.id"]
        ),
        Index(
            "ix_savegame_uploads_manifest",
            "user_id",
            "manifest_id",
            postgresql_where=text("manifest_id IS NOT NULL"),
        ),
        Index("ix_savegame_uploads_expires_at", "expires_at"),
        Index("ix_savegame_uploads_id", "id"),  # objects under staging/ are named by it alone
        Index("ix_savegame_uploads_slot", "user_id", "slot_id"),
        Index("ix_savegame_uploads_hash", "user_id", "file_hash_sha256"),
        # Confirmed uploads are remembered for a month; the open ones are few, and counted at each request.
        Index("ix_savegame_uploads_open", "user_id", "expires_at", postgresql_where=text("outcome IS NULL")),
        Index(
            "ix_savegame_uploads_content",
            "user_id",
            "content_id",
            postgresql_where=text("content_id IS NOT NULL"),
        ),
        CheckConstraint("length(file_hash_sha256) = 32", name="file_hash_sha256"),
        CheckConstraint("file_count BETWEEN 1 AND 10000", name="file_count"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    """The contract's ``internal_save_id``, and the id of the version that the upload becomes."""
    slot_id: UUID
    version: int = Field(sa_type=BigInteger)
    base_version: int = Field(sa_type=BigInteger)
    file_size_bytes: int = Field(sa_type=BigInteger)
    file_hash_sha256: bytes = Field(sa_type=LargeBinary)
    content_id: UUID | None = None
    """The content that the upload has joined, so that it needs no bytes."""
    content_identity: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The identity that lineage compares; null: it is the hash."""
    raw_sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The hash of the unpacked bytes, which has to be verified."""
    raw_size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    client_modified_at: datetime | None = time_column(default=None, nullable=True)
    device_id: str | None = Field(default=None, max_length=100)
    comment: str | None = Field(default=None, max_length=500)
    playtime_seconds: int | None = Field(default=None, sa_type=BigInteger)
    content_encoding: str | None = Field(default=None, max_length=50)
    encryption: dict[str, Any] | None = json_column()
    conflict_policy: str = Field(max_length=20)
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    """The end of the time in which the upload can be confirmed, or is remembered once it has ended."""
    outcome: dict[str, Any] | None = json_column()
    """The outcome; null while the upload is open."""
    manifest_id: UUID | None = None
    """The list of the files of a set, while the upload is open."""
    file_count: int | None = None
    """The number of files of a set; null: a single file."""
    game_version_id: str | None = Field(default=None, max_length=100)
    """The version of the game that wrote the save."""
    device_name: str | None = Field(default=None, max_length=100)
    arrived_through: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Every file up to this hash has arrived: the next look at the store begins there. Null: nothing is known."""


class SavegameConflict(SavegamesTable, table=True):
    """A conflict between the head and a branch. It stays open until it is resolved."""

    __tablename__ = "savegame_conflicts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "slot_id"], ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"]
        ),
        Index("ix_savegame_conflicts_id", text("uuid_send(id)")),  # as that of saves
        # A branch has one conflict, which is extended with it.
        Index(
            "uq_savegame_conflicts_open",
            "user_id",
            "slot_id",
            "branch_version",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        # For support, which lists the conflicts of all users, the oldest first.
        Index(
            "ix_savegame_conflicts_opened_at",
            "opened_at",
            "id",
            postgresql_where=text("resolved_at IS NULL"),
        ),
        CheckConstraint("(resolution IS NULL) = (resolved_at IS NULL)", name="resolution"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    slot_id: UUID
    branch_version: int = Field(sa_type=BigInteger)
    """The newest version of the branch."""
    head_version: int = Field(sa_type=BigInteger)
    """The head that the last 409 response described."""
    base_version: int | None = Field(default=None, sa_type=BigInteger)
    """The version that the branch grew from. Null, as the release before leaves it: the parent of its tip."""
    opened_at: datetime = time_column()
    resolved_at: datetime | None = time_column(default=None, nullable=True)
    resolution: str | None = Field(default=None, max_length=20)


class SavegameDevice(SavegamesTable, table=True):
    """The version that a device uploaded or reported last. It is the default base of the device's next upload."""

    __tablename__ = "savegame_devices"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "slot_id", "device_id"),
        ForeignKeyConstraint(
            ["user_id", "slot_id"], ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"]
        ),
    )

    user_id: UUID = Field(primary_key=True)
    slot_id: UUID = Field(primary_key=True)
    device_id: str = Field(primary_key=True, max_length=100)
    version: int = Field(sa_type=BigInteger)
    synced_at: datetime = time_column()


class SavegameQuota(SavegamesTable, table=True):
    """The quota that support has set for a user in place of the default one."""

    __tablename__ = "savegame_quotas"
    __table_args__ = (PrimaryKeyConstraint("user_id"), CheckConstraint("limit_bytes >= 0", name="limit_bytes"))

    user_id: UUID = Field(primary_key=True)
    limit_bytes: int = Field(sa_type=BigInteger)
    set_at: datetime = time_column()


class SavegameScan(SavegamesTable, table=True):
    """The progress of jobs that scan all objects or saves, and the time of the last restore from a backup
    (``restored``, in ``started_at``). It is the only table without a user.
    """

    __tablename__ = "savegame_scans"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(primary_key=True, max_length=50)
    cursor: str = Field(max_length=1024)
    started_at: datetime = time_column()
    finished_at: datetime | None = time_column(default=None, nullable=True)
