"""The tables of what owners share, beside those of ``_models.py``."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from gameshelf.library._models import METADATA
from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Identity, MetaData, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = METADATA


class SharedProduct(_Table, table=True):
    """A product that an owner shares with a member, stored with the member's data: owned by the owner, and within the
    scope of the link. A job keeps it up to date; what the Catalog forbids is not left out.
    """

    __tablename__ = "shared_products"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "owner_user_id", "product_id"),
        # A version without these rows deletes links, too.
        ForeignKeyConstraint(
            ["user_id", "owner_user_id"],
            ["library.family_memberships.user_id", "library.family_memberships.owner_user_id"],
            ondelete="CASCADE",
        ),
    )

    user_id: UUID = Field(primary_key=True)
    """The member."""
    owner_user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    product_type: str | None = Field(default=None, max_length=50)
    """That of the owner's item."""
    added_at: datetime = Field(sa_type=DateTime(timezone=True))
    """When the owner's ownership began."""


class ShareChange(_Table, table=True):
    """A mark that an owner with links has got or lost a game. It is written with the change, and a job deletes it once
    it has marked the members' links as outdated.

    Each change adds a row of its own, so that no change waits for the job, and the job deletes no change that it has
    not seen.
    """

    __tablename__ = "share_changes"
    __table_args__ = (PrimaryKeyConstraint("owner_user_id", "id"),)

    owner_user_id: UUID = Field(primary_key=True)
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
