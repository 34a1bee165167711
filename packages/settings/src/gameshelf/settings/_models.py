"""The tables of the schema ``settings``. Every key begins with ``user_id``, so they can be distributed by it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "settings"


class LayerKind(StrEnum):
    """The kind of an overlay."""

    PLATFORM = "platform"
    DEVICE = "device"


class PayloadEnd(StrEnum):
    """How a payload that is kept stopped being its layer's."""

    REPLACED = "replaced"
    DELETED = "deleted"
    EVICTED = "evicted"
    """Deleted because another overlay of the game took its place."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )


def _time(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **kwargs)


class GameSettings(_Table, table=True):
    """A user's settings of a game: the account's layer, and the columns that are for all layers.

    The row stays when all layers are deleted, so that a revision never means two different states.
    """

    __tablename__ = "game_specific_settings"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id"),
        CheckConstraint("revision >= 1", name="revision"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    settings_payload: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """Null without a layer of the account."""
    revision: int = Field(sa_type=BigInteger)
    """Grows with every change of any layer."""
    account_revision: int | None = Field(default=None, sa_type=BigInteger)
    """The revision of the account's layer. It is valid while ``counted_revision`` equals ``revision``."""
    counted_revision: int | None = Field(default=None, sa_type=BigInteger)
    """The last revision that was also written to the layers. It is less than ``revision`` after a change by a version
    that doesn't write it, and after a restore. Then any layer may have changed at ``revision``."""
    last_updated_at: datetime = _time()
    last_synced_with_cloud_at: datetime | None = _time(default=None, nullable=True)


class FirstRevision(_Table, table=True):
    """The first revision of new settings; without a row it is 1. Only ``settings.mark_restored`` writes it, after a
    restore: the time of the restore in seconds. It exceeds every revision that a client remembers from the lost time.
    """

    __tablename__ = "first_revisions"
    __table_args__ = (PrimaryKeyConstraint("singleton"), CheckConstraint("singleton", name="singleton"))

    singleton: bool = Field(default=True, primary_key=True, sa_column_kwargs={"server_default": text("true")})
    revision: int = Field(sa_type=BigInteger)


class SettingsOverlay(_Table, table=True):
    """The overlay of a platform or of a device."""

    __tablename__ = "game_settings_overlays"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id", "kind", "name"),
        ForeignKeyConstraint(
            ["user_id", "product_id"],
            ["settings.game_specific_settings.user_id", "settings.game_specific_settings.product_id"],
        ),
        CheckConstraint("kind IN ('platform', 'device')", name="kind"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=10)
    name: str = Field(primary_key=True, max_length=100)
    settings_payload: dict[str, Any] = Field(sa_type=JSONB)
    revision: int | None = Field(default=None, sa_type=BigInteger)
    """It is valid while the game's ``counted_revision`` equals its ``revision``."""
    last_updated_at: datetime = _time()
    last_used_at: datetime | None = _time(default=None, nullable=True)
    """The time of the last read or write, up to an hour old. Where it is null, ``last_updated_at`` counts."""


class KeptPayload(_Table, table=True):
    """A payload that was replaced or deleted; support can restore it. It has no foreign key, which each write of
    settings would pay for.
    """

    __tablename__ = "kept_payloads"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id", "kind", "name", "revision"),
        Index("ix_kept_payloads_ended_at", "ended_at"),
        CheckConstraint("kind IN ('account', 'platform', 'device')", name="kind"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=10)
    name: str = Field(primary_key=True, max_length=100)
    """Empty for the account's layer."""
    revision: int = Field(primary_key=True, sa_type=BigInteger)
    """The revision that the layer had with this payload."""
    settings_payload: dict[str, Any] = Field(sa_type=JSONB)
    stored_bytes: int
    """The size of the payload as PostgreSQL stores it, compressed."""
    written_at: datetime | None = _time(default=None, nullable=True)
    """Null where it is not known: the game's time was that of a change of another layer."""
    ended_at: datetime = _time()
    """When it was replaced or deleted."""
    ended_by: str = Field(max_length=10)


METADATA = _Table.metadata
"""All of the tables."""
