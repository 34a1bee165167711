"""The tables of the schema ``achievements``.

Keys of what belongs to a user begin with the user, so the tables can be distributed by it. Definitions and counters are
facts of products; deltas name nobody, so that erasing a user leaves them as they are.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from gameshelf.kernel.serialise import lock_space
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Text,
    false,
    func,
    text,
)
from sqlmodel import Field, SQLModel

SCHEMA = "achievements"
LOCK_SPACE = lock_space(SCHEMA)
"""The first key of the advisory locks by which one transaction at a time changes a user's achievements."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"},
    )


def _time(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def _since() -> Any:
    """When a field was said; null while it was not."""
    return _time(default=None, nullable=True)


class AchievementMetadata(_Table, table=True):
    """What the Catalog says of an achievement; each field is the last writer's, by the time beside it."""

    __tablename__ = "achievement_metadata"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        CheckConstraint("target_progress >= 1", name="target_progress"),
        Index("ix_achievement_metadata_product", "product_id", "id"),
        Index("ix_achievement_metadata_api_name", "product_id", "api_name", "id"),
        # What ``target_reviews.py`` has to look at: mostly nothing.
        Index(
            "ix_achievement_metadata_unreviewed",
            "id",
            postgresql_where=text("target_progress IS NOT NULL AND target_progress IS DISTINCT FROM reviewed_target"),
        ),
    )

    id: UUID = Field(primary_key=True)
    product_id: UUID
    api_name: str | None = Field(default=None, sa_type=Text)
    name_ru: str | None = Field(default=None, sa_type=Text)
    name_en: str | None = Field(default=None, sa_type=Text)
    description_ru: str | None = Field(default=None, sa_type=Text)
    description_en: str | None = Field(default=None, sa_type=Text)
    icon_url_locked: str | None = Field(default=None, sa_type=Text)
    icon_url_unlocked: str | None = Field(default=None, sa_type=Text)
    is_hidden: bool | None = Field(default=None, sa_type=Boolean)
    target_progress: int | None = Field(default=None, sa_type=Integer)
    """Null: none is known. Then it shows no progress, and no progress unlocks it."""
    reviewed_target: int | None = Field(default=None, sa_type=Integer)
    """The target for which everybody who had reached it was unlocked."""
    target_revision: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    """Grows with each change of the target, also of one that comes back to what it was."""
    server_authoritative: bool | None = Field(default=None, sa_type=Boolean)
    api_name_at: datetime | None = _since()
    name_ru_at: datetime | None = _since()
    name_en_at: datetime | None = _since()
    description_ru_at: datetime | None = _since()
    description_en_at: datetime | None = _since()
    icon_url_locked_at: datetime | None = _since()
    icon_url_unlocked_at: datetime | None = _since()
    is_hidden_at: datetime | None = _since()
    target_progress_at: datetime | None = _since()
    server_authoritative_at: datetime | None = _since()


class UserAchievement(_Table, table=True):
    """How far a user is with an achievement."""

    __tablename__ = "user_achievements"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "achievement_meta_id"),
        CheckConstraint("is_unlocked = (unlocked_at IS NOT NULL)", name="unlocked_at"),
        CheckConstraint("current_progress >= 0", name="current_progress"),
        Index("ix_user_achievements_product", "user_id", "product_id"),
        # What a recount of one product reads.
        Index("ix_user_achievements_unlocked", "product_id", postgresql_where=text("is_unlocked")),
        # What a review of a changed target walks over. It is without progress, so that a report of it stays cheap.
        Index(
            "ix_user_achievements_locked",
            "achievement_meta_id",
            "user_id",
            postgresql_where=text("NOT is_unlocked"),
        ),
    )

    user_id: UUID = Field(primary_key=True)
    achievement_meta_id: UUID = Field(primary_key=True)
    product_id: UUID
    is_unlocked: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    unlocked_at: datetime | None = _time(default=None, nullable=True)
    current_progress: int | None = Field(default=None, sa_type=Integer)
    rarity_at_unlock: float | None = Field(default=None, sa_type=Double)
    """In percent, as it was with this unlock."""
    updated_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class OwnedProduct(_Table, table=True):
    """A user owns a product personally: then they count in its rarities."""

    __tablename__ = "owned_products"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id"),
        Index("ix_owned_products_product", "product_id"),
        # A recount walks over the owners of a product in parts.
        Index("ix_owned_products_walk", "product_id", "user_id"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)


class RarityDelta(_Table, table=True):
    """A change of a counter that is not folded into it yet; without an achievement, of the product's owners."""

    __tablename__ = "rarity_deltas"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_rarity_deltas_product", "product_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    product_id: UUID
    achievement_meta_id: UUID | None = None
    delta: int = Field(sa_type=Integer)


class ProductOwners(_Table, table=True):
    """How many users own a product personally, as far as it is folded."""

    __tablename__ = "product_owners"
    __table_args__ = (PrimaryKeyConstraint("product_id"),)

    product_id: UUID = Field(primary_key=True)
    owners: int = Field(sa_type=BigInteger)


class AchievementUnlocks(_Table, table=True):
    """How many of the product's owners have unlocked an achievement, as far as it is folded."""

    __tablename__ = "achievement_unlocks"
    __table_args__ = (
        PrimaryKeyConstraint("achievement_meta_id"),
        Index("ix_achievement_unlocks_product", "product_id"),
    )

    achievement_meta_id: UUID = Field(primary_key=True)
    product_id: UUID
    unlocks: int = Field(sa_type=BigInteger)


class Recount(_Table, table=True):
    """How far the recount of all counters has come. One row."""

    __tablename__ = "recounts"
    __table_args__ = (PrimaryKeyConstraint("id"),)

    id: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    cursor: UUID
    """Products up to this one are done."""
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


METADATA = _Table.metadata
"""All of the tables."""
