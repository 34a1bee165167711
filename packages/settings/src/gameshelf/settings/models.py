"""The tables of the schema ``settings``. Every key begins with ``user_id``, so they can be distributed by it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from gameshelf.kernel.serialise import lock_space
from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "settings"
LOCK_SPACE = lock_space(SCHEMA)
"""The first key of the advisory locks by which one transaction at a time changes a user's settings."""


class LayerKind(StrEnum):
    """What an overlay is about."""

    PLATFORM = "platform"
    DEVICE = "device"


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
    """A user's settings of a game: the account's layer, and what counts for all layers.

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
    """That of the account's layer, as far as ``counted_revision`` is ``revision``."""
    counted_revision: int | None = Field(default=None, sa_type=BigInteger)
    """Through which revision those of the layers are known. Behind it are changes by a version that doesn't write
    them, and restores: then any layer may have changed at ``revision``."""
    last_updated_at: datetime = _time()
    last_synced_with_cloud_at: datetime | None = _time(default=None, nullable=True)


class FirstRevision(_Table, table=True):
    """At which revision settings begin that the database doesn't know; no row: at 1. Written after a restore only, by
    ``settings.mark_restored``: the time of the newest one in seconds, which no client remembers from the lost time.
    """

    __tablename__ = "first_revisions"
    __table_args__ = (PrimaryKeyConstraint("singleton"), CheckConstraint("singleton", name="singleton"))

    singleton: bool = Field(default=True, primary_key=True, sa_column_kwargs={"server_default": text("true")})
    revision: int = Field(sa_type=BigInteger)


class SettingsOverlay(_Table, table=True):
    """What a platform or a device has differently."""

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
    """As far as the game's ``counted_revision`` is its ``revision``."""
    last_updated_at: datetime = _time()
    last_used_at: datetime | None = _time(default=None, nullable=True)
    """When it was read or written last, within an hour; null: when it was updated last."""


METADATA = _Table.metadata
"""All of the tables."""
