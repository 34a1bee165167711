"""The tables of the schema ``achievements``.

The primary keys of users' rows begin with the user, so the tables can be distributed by it. Definitions and counters
belong to products. Deltas contain no user, so the erasure of a user does not touch them.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

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


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"},
    )


def _time(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def _since() -> Any:
    """A column for the time of a field's value; null while the Catalog has published none."""
    return _time(default=None, nullable=True)


class AchievementMetadata(_Table, table=True):
    """A definition from the Catalog. Each field has its newest value, by the time in the column beside it."""

    __tablename__ = "achievement_metadata"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        CheckConstraint("target_progress >= 1", name="target_progress"),
        Index("ix_achievement_metadata_product", "product_id", "id"),
        Index("ix_achievement_metadata_api_name", "product_id", "api_name", "id"),
        # The definitions that have to be reviewed (``target_reviews.py``): few, mostly none.
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
    """Null while it is unknown. Then no progress is shown, and no progress unlocks the achievement."""
    reviewed_target: int | None = Field(default=None, sa_type=Integer)
    """The target of the last review, which has unlocked all players who had reached it."""
    target_revision: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    """Grows with each change of the target, also with a change back to a former value."""
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
    """A user's state of an achievement."""

    __tablename__ = "user_achievements"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "achievement_meta_id"),
        CheckConstraint("is_unlocked = (unlocked_at IS NOT NULL)", name="unlocked_at"),
        CheckConstraint("current_progress >= 0", name="current_progress"),
        Index("ix_user_achievements_product", "user_id", "product_id"),
        # For the recount of one product.
        Index("ix_user_achievements_unlocked", "product_id", postgresql_where=text("is_unlocked")),
        # For the walk of a target review. It does not contain the progress, so that a progress report stays cheap.
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
    """The rarity with this unlock, in percent."""
    updated_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class OwnedProduct(_Table, table=True):
    """A product that a user owns personally. Its owners count in its rarities."""

    __tablename__ = "owned_products"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id"),
        Index("ix_owned_products_product", "product_id"),
        # For the recount, which reads the owners of a product in parts.
        Index("ix_owned_products_walk", "product_id", "user_id"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)


class RefusedAttempt(_Table, table=True):
    """Reports of a user's achievement that were refused by one rule, from one source."""

    __tablename__ = "refused_attempts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "subject", "rule", "source"),
        Index("ix_refused_attempts_last_at", "last_at"),
    )

    user_id: UUID = Field(primary_key=True)
    subject: str = Field(primary_key=True, max_length=140)
    """The id of the achievement, or its product and name, which is what was reported."""
    rule: str = Field(primary_key=True, max_length=100)
    source: str = Field(primary_key=True, max_length=120)
    attempts: int = Field(sa_type=BigInteger)
    first_at: datetime = _time()
    last_at: datetime = _time()


class RarityDelta(_Table, table=True):
    """A change of a counter that is not folded yet; without an achievement it is for the product's owners."""

    __tablename__ = "rarity_deltas"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_rarity_deltas_product", "product_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    product_id: UUID
    achievement_meta_id: UUID | None = None
    delta: int = Field(sa_type=Integer)


class ProductOwners(_Table, table=True):
    """The number of users who own a product personally, without the deltas that are not folded yet."""

    __tablename__ = "product_owners"
    __table_args__ = (PrimaryKeyConstraint("product_id"),)

    product_id: UUID = Field(primary_key=True)
    owners: int = Field(sa_type=BigInteger)


class AchievementUnlocks(_Table, table=True):
    """The number of a product's owners who have unlocked an achievement, without the deltas that are not folded yet."""

    __tablename__ = "achievement_unlocks"
    __table_args__ = (
        PrimaryKeyConstraint("achievement_meta_id"),
        Index("ix_achievement_unlocks_product", "product_id"),
    )

    achievement_meta_id: UUID = Field(primary_key=True)
    product_id: UUID
    unlocks: int = Field(sa_type=BigInteger)


class RarityRecountState(_Table, table=True):
    """The progress of the recount of all counters. The table has one row."""

    __tablename__ = "recounts"
    __table_args__ = (PrimaryKeyConstraint("id"),)

    id: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    cursor: UUID
    """The last product that was counted."""
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


METADATA = _Table.metadata
"""All of the tables."""
