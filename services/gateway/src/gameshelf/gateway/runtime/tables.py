"""The tables of the schema ``gateway``, which all domains share.

Each user has one row in ``user_streams``. Every writing transaction locks it first, and so one user's changes are
numbered and committed one after the other, whatever the number of instances.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from gameshelf.kernel.migrations import Migrations
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "gateway"
MIGRATIONS = Migrations(
    "gameshelf.gateway.runtime", SCHEMA, local_tables=frozenset({"backups", "backup_drills", "backup_markers"})
)

NOBODY = UUID(int=0)
"""Stands in a key for the user of a row that is about no user. Its shard of the outbox is that of such records."""
NOBODY_HASH = b""
"""The same in the audit, whose key begins with the hash of a user."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(schema=SCHEMA, naming_convention={"pk": "pk_%(table_name)s"})


def _now(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()}, **kwargs)


def _counter() -> Any:
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


class UserStream(_Table, table=True):
    """A user's row: the lock for their writes, and the counters that a write increments under it."""

    __tablename__ = "user_streams"
    __table_args__ = (
        PrimaryKeyConstraint("user_id"),
        Index("ix_user_streams_erased", "erased_at", postgresql_where=text("erased_at IS NOT NULL")),
    )

    user_id: UUID = Field(primary_key=True)
    version: int = _counter()
    """Increases with every commit to the user's data: the user's part of an ETag."""
    last_sequence: int = _counter()
    """The number of the user's newest event."""
    pruned_sequence: int = _counter()
    """The number through which the feed has been pruned; a client cannot continue from a cursor below it."""
    erased_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    """Set while the user's data is being erased: every later write is refused. The row is deleted last."""


class FeedEntry(_Table, table=True):
    """One message for the user's devices, kept for 24 hours so that they can resume."""

    __tablename__ = "feed"
    __table_args__ = (PrimaryKeyConstraint("user_id", "sequence"), Index("ix_feed_occurred_at", "occurred_at"))

    user_id: UUID = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    occurred_at: datetime = _now()
    message: str = Field(sa_type=Text)
    """The JSON that is sent over the WebSocket."""


class OutboxRecord(_Table, table=True):
    """One record on its way to Kafka; deleted once the broker has acknowledged it.

    ``id`` orders the records of one user, since it is assigned under the user's lock. It does not order records of
    different users: a lower number may be committed later, so a relay must not skip ahead by it.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        Index("ix_outbox_shard", "shard", "id"),
        # Lets the other topics skip one of which a million records wait.
        Index("ix_outbox_topic", "topic", "shard", "id"),
    )

    user_id: UUID = Field(primary_key=True)
    """``NOBODY`` if it is about no user."""
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    shard: int = Field(sa_type=SmallInteger)
    topic: str = Field(max_length=249)
    record_key: str | None = Field(default=None, max_length=200)
    value: bytes = Field(sa_type=LargeBinary)
    traceparent: str | None = Field(default=None, max_length=100)
    created_at: datetime = _now()


class RefusedRecord(_Table, table=True):
    """A record of the outbox that Kafka refused because of its content. It is tried again every hour."""

    __tablename__ = "refused_records"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        Index("ix_refused_records_refused_at", "refused_at"),
    )

    user_id: UUID = Field(primary_key=True)
    id: int = Field(primary_key=True, sa_type=BigInteger)
    """The id that it had in the outbox."""
    shard: int = Field(sa_type=SmallInteger)
    topic: str = Field(max_length=249)
    record_key: str | None = Field(default=None, max_length=200)
    value: bytes = Field(sa_type=LargeBinary)
    traceparent: str | None = Field(default=None, max_length=100)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    refused_at: datetime = _now()
    reason: str = Field(max_length=500)


class ForwardedEvent(_Table, table=True):
    """An event about one user that a change of another user made; a transaction of the first user publishes it.

    A change locks one user only. Its events about other users wait here, in the order of the ids.
    """

    __tablename__ = "forwarded_events"
    __table_args__ = (PrimaryKeyConstraint("user_id", "id"),)

    user_id: UUID = Field(primary_key=True)
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    type: str = Field(max_length=50)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = _now()


class InboxEntry(_Table, table=True):
    """An event that has been applied. ``subject_id`` is the user (or product) that it is about."""

    __tablename__ = "inbox"
    __table_args__ = (
        PrimaryKeyConstraint("subject_id", "source", "event_id"),
        Index("ix_inbox_received_at", "received_at"),
    )

    subject_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True, max_length=500)
    event_id: str = Field(primary_key=True, max_length=500)
    received_at: datetime = _now()


class IdempotencyRecord(_Table, table=True):
    """The first response to a POST with an ``Idempotency-Key``, kept for 24 hours."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "endpoint", "key"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    user_id: UUID = Field(primary_key=True)
    endpoint: str = Field(primary_key=True, max_length=500)
    """Method and path."""
    key: str = Field(primary_key=True, max_length=255)
    request_hash: bytes = Field(sa_type=LargeBinary)
    """Hash of the bytes of the body."""
    status: int = Field(sa_type=SmallInteger)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = _now()
    values_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Hash of the values in the body; NULL if the release before wrote the row."""


class DeadLetter(_Table, table=True):
    """A record that can never be applied, with the reason. Its id is derived from the record, so it is stored once."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        # Support names a letter by its id alone.
        Index("ix_dead_letters_id", "id"),
        Index("ix_dead_letters_created_at", "created_at"),
        Index("ix_dead_letters_key", "record_key", postgresql_where=text("octet_length(record_key) = 36")),
    )

    user_id: UUID = Field(primary_key=True)
    """``NOBODY`` if it names no user."""
    id: UUID = Field(primary_key=True)
    topic: str = Field(max_length=249)
    reason: str = Field(max_length=50)
    detail: str = Field(sa_type=Text)
    record_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = _now()


class DeferredRecord(_Table, table=True):
    """A record of Kafka that waits while another transaction locks the rows that it changes. Its subject is a user or a
    product.
    """

    __tablename__ = "deferred_records"
    __table_args__ = (PrimaryKeyConstraint("subject_id", "topic", "partition", "record_offset", "record_timestamp"),)

    subject_id: UUID = Field(primary_key=True)
    topic: str = Field(primary_key=True, max_length=249)
    partition: int = Field(primary_key=True)
    record_offset: int = Field(primary_key=True, sa_type=BigInteger)
    record_timestamp: int = Field(primary_key=True, sa_type=BigInteger)
    """In milliseconds since 1970. A part of the key, since a re-created topic begins at offset 0 again."""
    id: int | None = Field(default=None, sa_type=BigInteger, nullable=False, sa_column_args=[Identity(always=True)])
    """Orders the records of a subject."""
    record_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    next_attempt_at: datetime = _now()
    created_at: datetime = _now()


class AuditRecord(_Table, table=True):
    """A command that was run, or refused, with ``LibraryAdminService``. Only an erasure changes it."""

    __tablename__ = "audit"
    __table_args__ = (
        PrimaryKeyConstraint("user_hash", "id"),
        # Support names an entry by its id alone, and lists all of them in its order.
        Index("ix_audit_id", "id"),
        # A user's timeline, page by page.
        Index("ix_audit_user", "user_hash", "happened_at"),
        # A change is undone at most once, also if two callers try it concurrently.
        Index("uq_audit_undo", "user_hash", "undo_of", unique=True, postgresql_where=text("undo_of IS NOT NULL")),
        Index("ix_audit_actor", "actor_id", "id", postgresql_where=text("actor_id IS NOT NULL")),
        Index("ix_audit_happened_at", "happened_at"),
        # Few entries have one, and everything that was done for a ticket is asked for.
        Index("ix_audit_ticket", "ticket", "id", postgresql_where=text("ticket IS NOT NULL")),
        Index("ix_audit_batch", "batch_id", "id", postgresql_where=text("batch_id IS NOT NULL")),
        # A change of a batch is also looked for without its user.
        Index("ix_audit_batch_item", "batch_id", "batch_item", postgresql_where=text("batch_item IS NOT NULL")),
        # A batch makes each of its changes at most once, also if it is run twice, or again after an interruption.
        Index(
            "uq_audit_batch",
            "user_hash",
            "batch_id",
            "batch_item",
            unique=True,
            postgresql_where=text("batch_item IS NOT NULL"),
        ),
        # These find rare entries among millions of refusals, with or without a command.
        Index("ix_audit_kind", "kind", "id"),
        Index("ix_audit_command", "command", "id"),
        Index("ix_audit_command_kind", "command", "kind", "id"),
    )

    user_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """A keyed hash of the user whom it concerns, by which the entries of an erased account are found. ``NOBODY_HASH``
    if it concerns no user.
    """
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    happened_at: datetime = _now()
    kind: str = Field(max_length=10)
    command: str = Field(max_length=50)
    actor_id: UUID | None = None
    actor_roles: str = Field(max_length=50)
    user_id: UUID | None = None
    """The user whom it concerns; like ``actor_id`` it is removed when that account is erased."""
    target: dict[str, Any] = Field(sa_type=JSONB)
    reason: str | None = Field(default=None, max_length=500)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    code: str | None = Field(default=None, max_length=50)
    undo_of: int | None = Field(default=None, sa_type=BigInteger)
    ticket: str | None = Field(default=None, max_length=100)
    """The ticket of the support system that a change belongs to; like ``reason`` it is removed with the account."""
    batch_id: UUID | None = None
    """The batch of changes of many users that it belongs to."""
    batch_item: int | None = Field(default=None, sa_type=BigInteger)
    """Which of the changes of this user in the batch it is, as a keyed hash. What undoes one has none."""


class RestoreRecord(_Table, table=True):
    """The database was restored from a backup. Written by ``gateway.mark_restored``, a function of the migrations."""

    __tablename__ = "restores"
    __table_args__ = (PrimaryKeyConstraint("id"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    restored_at: datetime = _now()
    restored_point: datetime = Field(sa_type=DateTime(timezone=True))
    """The time of the backup's snapshot."""
    backup: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    compared_through: str = Field(sa_type=String(collation="C"), sa_column_kwargs={"server_default": ""})
    """The key up to which the object store has been compared and applied since, without a gap."""
    reconciled_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    """When the comparison with the object store was complete; until then nothing is deleted."""


class Backup(_Table, table=True):
    """The newest backup of a kind. ``libctl backup create`` writes it; other backup tools may write it, too."""

    __tablename__ = "backups"
    __table_args__ = (PrimaryKeyConstraint("kind"),)

    kind: str = Field(primary_key=True, max_length=20)
    """``logical``, or a name that the operator chooses, such as ``base``."""
    point: datetime = Field(sa_type=DateTime(timezone=True))
    """The time of its snapshot."""
    noted_at: datetime = _now()


class BackupMarker(_Table, table=True):
    """A moment that a backup holds or lacks. ``libctl backup create`` and ``drill`` write one each."""

    __tablename__ = "backup_markers"
    __table_args__ = (PrimaryKeyConstraint("id"),)

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    written_at: datetime = _now()


class BackupDrill(_Table, table=True):
    """The newest successful drill of a kind of backups. ``libctl backup drill`` writes it."""

    __tablename__ = "backup_drills"
    __table_args__ = (PrimaryKeyConstraint("kind"),)

    kind: str = Field(primary_key=True, max_length=20)
    """As in ``backups``."""
    held_at: datetime = Field(sa_type=DateTime(timezone=True))
    rto_seconds: float = Field(sa_type=Double)
    rpo_seconds: float = Field(sa_type=Double)


class Rewind(_Table, table=True):
    """A partition that has been rewound after a restore."""

    __tablename__ = "rewinds"
    __table_args__ = (PrimaryKeyConstraint("restore_id", "topic", "partition"),)

    restore_id: UUID = Field(primary_key=True)
    topic: str = Field(primary_key=True, max_length=249)
    partition: int = Field(primary_key=True)
    rewound_at: datetime = _now()


class DatabaseIdentity(_Table, table=True):
    """The cluster and timeline of this database at the last check; different ones mean that it was replaced."""

    __tablename__ = "database_identity"
    __table_args__ = (PrimaryKeyConstraint("singleton"), CheckConstraint("singleton", name="singleton"))

    singleton: bool = Field(default=True, primary_key=True, sa_column_kwargs={"server_default": text("true")})
    system: str = Field(max_length=20)
    timeline: str = Field(max_length=8)
    noted_at: datetime = _now()


class ErasedUser(_Table, table=True):
    """The keyed hash of an erased user, by which late events and tokens are refused."""

    __tablename__ = "erased_users"
    __table_args__ = (PrimaryKeyConstraint("user_hash"),)

    user_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    erased_at: datetime = _now()


METADATA = _Table.metadata
"""All of the tables."""
