"""The tables of the schema ``playtime``.

Every key begins with the user, so the tables can be distributed by it; the few rows of watches belong to no user.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlmodel import Field, SQLModel

SCHEMA = "playtime"
SHARDS = 16
"""The number of parts of the running sessions, so that instances can share the watch over them."""


class EndReason(StrEnum):
    """Why a session ended: `completed` (the client ended it), `timeout` (no heartbeat came any more), `imported` (it
    was played offline), `access_revoked` (the user may not play the product any more) or `seat_lost` (the owner of
    the copy wanted to play, or support has freed the seat).
    """

    COMPLETED = "completed"
    """The client ended it."""
    TIMEOUT = "timeout"
    """No heartbeat came any more; it ended at the last one."""
    IMPORTED = "imported"
    """It was played offline and imported later."""
    ACCESS_REVOKED = "access_revoked"
    """The user may not play the product any more."""
    SEAT_LOST = "seat_lost"
    """The owner of a shared copy wanted to play, and the grace period is over; or support has freed the seat."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )


def _time(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **kwargs)


class PlaytimeSession(_Table, table=True):
    """One stretch of play on one device: the ledger. It runs while ``end_time`` is null.

    Times are whole seconds, so ``duration_seconds`` and every sum are exact. ``last_heartbeat_at`` is the newest
    checkpoint of heartbeats, which the fast store knows more exactly; no index covers it, so that writing is cheap.
    """

    __tablename__ = "playtime_sessions"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        CheckConstraint("(end_time IS NULL) = (end_reason IS NULL)", name="ended"),
        CheckConstraint("(end_time IS NULL) = (duration_seconds IS NULL)", name="duration"),
        CheckConstraint("end_time >= start_time", name="forwards"),
        CheckConstraint(
            f"end_reason IN ({', '.join(repr(str(reason)) for reason in EndReason)})",
            name="end_reason",
        ),
        # One running session per product and device: a second start finds the first one.
        Index(
            "uq_playtime_sessions_running",
            "user_id",
            "product_id",
            "device_id",
            unique=True,
            postgresql_where=text("end_time IS NULL"),
        ),
        # Support names a session by its id alone, or by the beginning of it. The planner would prefer an index of the
        # column itself to the user's key.
        Index("ix_playtime_sessions_id", text("uuid_send(id)")),
        # Running sessions in an order that can be read part by part; shards are ranges of it.
        Index("ix_playtime_sessions_live", "id", postgresql_where=text("end_time IS NULL")),
        Index(
            "uq_playtime_sessions_imported",
            "user_id",
            "client_session_id",
            "device_id",
            unique=True,
            postgresql_where=text("client_session_id IS NOT NULL"),
        ),
        Index("ix_playtime_sessions_history", "user_id", text("start_time DESC"), "id"),
        Index("ix_playtime_sessions_product", "user_id", "product_id", "start_time"),
        # Play of a shared copy by other members, by time.
        Index(
            "ix_playtime_sessions_copy",
            "copy_owner_user_id",
            "product_id",
            "start_time",
            postgresql_where=text("copy_owner_user_id IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    device_id: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": ""})
    """Empty when the client sent none, which counts as one device."""
    platform: str | None = Field(default=None, max_length=50)
    start_time: datetime = _time()
    end_time: datetime | None = _time(default=None, nullable=True)
    duration_seconds: int | None = Field(default=None, sa_type=Integer)
    end_reason: str | None = Field(default=None, sa_type=String(20))
    last_heartbeat_at: datetime = _time()
    client_session_id: str | None = Field(default=None, max_length=100)
    """The device's own id of an imported session."""
    seat_number: int | None = Field(default=None, sa_type=BigInteger)
    """The fencing number of the seat, when a shared copy is played."""
    copy_owner_user_id: UUID | None = None
    """Whose copy is played; null: the user's own."""
    copy_since: datetime | None = _time(default=None, nullable=True)
    """Since when this copy is played; null: since the start. Earlier parts are rows of ``PlaytimeCopyPart``."""
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class PlaytimeCopyPart(_Table, table=True):
    """A stretch of a session that was played on another copy than the one that the session has now."""

    __tablename__ = "playtime_copy_parts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "session_id", "start_time"),
        CheckConstraint("end_time > start_time", name="forwards"),
        Index("ix_playtime_copy_parts_product", "user_id", "product_id", "start_time"),
        # Play of a shared copy by other members, by time.
        Index(
            "ix_playtime_copy_parts_copy",
            "copy_owner_user_id",
            "product_id",
            "start_time",
            postgresql_where=text("copy_owner_user_id IS NOT NULL"),
        ),
    )

    user_id: UUID = Field(primary_key=True)
    session_id: UUID = Field(primary_key=True)
    start_time: datetime = _time(primary_key=True)
    end_time: datetime = _time()
    product_id: UUID
    copy_owner_user_id: UUID | None = None
    """Whose copy was played; null: the user's own."""
    seat_number: int | None = Field(default=None, sa_type=BigInteger)


class PlaytimeInterval(_Table, table=True):
    """The union of a product's ended sessions: disjoint stretches of time that do not touch. Made from the ledger."""

    __tablename__ = "playtime_intervals"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id", "start_time"),
        CheckConstraint("end_time > start_time", name="forwards"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    start_time: datetime = _time(primary_key=True)
    end_time: datetime = _time()


class PlaytimeTotal(_Table, table=True):
    """The sums of a product's ledger. ``played_seconds`` is the length of the union."""

    __tablename__ = "playtime_totals"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id"),
        CheckConstraint("played_seconds >= 0", name="played_seconds"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    played_seconds: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    corrected_seconds: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    session_count: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": text("0")})
    last_played_at: datetime | None = _time(default=None, nullable=True)


class PlaytimeCorrection(_Table, table=True):
    """Seconds that support added to a product's total, or subtracted from it."""

    __tablename__ = "playtime_corrections"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        Index("ix_playtime_corrections_product", "user_id", "product_id"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    seconds: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class PlaytimeAnomaly(_Table, table=True):
    """Impossible play, which counts and is shown to support."""

    __tablename__ = "playtime_anomalies"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "kind", "subject"),
        # Support reads those of all users, the newest first.
        Index("ix_playtime_anomalies_found", "detected_at", "user_id", "kind", "subject"),
    )

    user_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, sa_type=String(30))
    """``long_day`` or ``fast_import``."""
    subject: str = Field(primary_key=True, max_length=100)
    """The day, or the time of the import."""
    seconds: int = Field(sa_type=BigInteger)
    detected_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class PlaytimeSync(_Table, table=True):
    """When a user last imported sessions: between two imports no more can be played than time has passed.

    Earlier releases wrote one row per device; now a user has one, of the device "". The latest of all counts.
    """

    __tablename__ = "playtime_syncs"
    __table_args__ = (PrimaryKeyConstraint("user_id", "device_id"),)

    user_id: UUID = Field(primary_key=True)
    device_id: str = Field(primary_key=True, max_length=100)
    synced_at: datetime = _time()


class PlaytimeWatch(_Table, table=True):
    """The watch over one shard of the running sessions; see ``watch.py``. The migration makes one row per shard."""

    __tablename__ = "playtime_watches"
    __table_args__ = (PrimaryKeyConstraint("shard"),)

    shard: int = Field(primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False})
    ticks: int = Field(sa_type=BigInteger)
    seen_at: datetime = _time()
    since: datetime = _time()
    checkpointed_at: datetime = _time()
    swept_at: datetime = _time()


METADATA = _Table.metadata
"""All of the tables."""
