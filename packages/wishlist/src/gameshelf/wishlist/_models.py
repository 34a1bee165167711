"""The tables of the schema ``wishlist``.

Keys of what belongs to a user begin with the user, so the tables can be distributed by it. Prices and running
fan-outs of sales belong to products. ``product_prices``, ``sale_fanouts`` and ``sale_notifications`` are the tables of
the release before (``store/release_before.py``): they are written for one release, and then dropped.
"""

from datetime import datetime
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
    UniqueConstraint,
    func,
    text,
)
from sqlmodel import Field, SQLModel

SCHEMA = "wishlist"


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


class WishlistItem(_Table, table=True):
    """A user wishes for a product, and is notified of a sale that meets all conditions that are set."""

    __tablename__ = "wishlist_items"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "product_id"),
        CheckConstraint("priority >= 1", name="priority"),
        CheckConstraint("target_price_minor >= 0", name="target_price_minor"),
        CheckConstraint("(target_price_minor IS NULL) = (target_currency IS NULL)", name="target_currency"),
        CheckConstraint("min_discount_percent BETWEEN 1 AND 100", name="min_discount_percent"),
        # A sale walks over the wishers of a product in the order of users.
        Index("ix_wishlist_items_wishers", "product_id", "user_id"),
        # A lasting cut, or a price that only targets are about, over these alone.
        Index(
            "ix_wishlist_items_targets",
            "product_id",
            "target_currency",
            "user_id",
            postgresql_where=text("target_currency IS NOT NULL"),
        ),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    added_at: datetime = _time()
    priority: int | None = Field(default=None, sa_type=Integer)
    notes: str | None = Field(default=None, max_length=1000)
    target_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    target_currency: str | None = Field(default=None, max_length=3)
    min_discount_percent: int | None = Field(default=None, sa_type=SmallInteger)
    cut_seen_at: datetime | None = _time(default=None, nullable=True)
    """When the newest lasting cut was received that existed when the conditions were changed last: they are about later
    ones alone."""


class PriceNotification(_Table, table=True):
    """A user was notified of a product's sale or of a lasting cut: once, whatever is received again."""

    __tablename__ = "price_notifications"
    __table_args__ = (
        # The id is made from sale, product and user, or from the cut and the user, so it is unique for these.
        PrimaryKeyConstraint("user_id", "id"),
        Index("ix_price_notifications_notified_at", "notified_at"),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    sale_id: str | None = Field(default=None, max_length=200)
    """Null: of a lasting cut."""
    notified_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class SaleNotification(_Table, table=True):
    """The release before has notified a user of a sale, whatever its product was."""

    __tablename__ = "sale_notifications"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "sale_id"),
        Index("ix_sale_notifications_notified_at", "notified_at"),
    )

    user_id: UUID = Field(primary_key=True)
    sale_id: str = Field(primary_key=True, max_length=200)
    product_id: UUID
    notified_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class HeldBackWisher(_Table, table=True):
    """A wisher who could not be notified of a sale together with others, since their row was locked: they are notified
    alone as soon as it is free. The cursor of the fan-out has passed them.
    """

    __tablename__ = "held_back_wishers"
    __table_args__ = (PrimaryKeyConstraint("user_id", "product_id"), Index("ix_held_back_wishers_since", "since"))

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    since: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class CurrencyPrice(_Table, table=True):
    """The price of a product in a currency that the Catalog stated last."""

    __tablename__ = "currency_prices"
    __table_args__ = (PrimaryKeyConstraint("product_id", "currency"),)

    product_id: UUID = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    price_minor: int = Field(sa_type=BigInteger)
    discount_percent: int = Field(sa_type=SmallInteger)
    sale_id: str | None = Field(default=None, max_length=200)
    sale_ends_at: datetime | None = _time(default=None, nullable=True)
    said_at: datetime = _time()
    """When the Catalog stated it last. The same price stated again changes nothing else."""
    cut_from_minor: int | None = Field(default=None, sa_type=BigInteger)
    """The earlier price, if this one is a lasting cut; null together with the two below."""
    cut_said_at: datetime | None = _time(default=None, nullable=True)
    cut_heard_at: datetime | None = _time(default=None, nullable=True)
    """By our own clock: wishers whose wishes are added later are not notified of the cut."""


class PriceFanout(_Table, table=True):
    """The wishers of a product are being notified of its current price in a currency; those up to ``cursor`` were."""

    __tablename__ = "price_fanouts"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "currency"),
        Index("ix_price_fanouts_advanced_at", "advanced_at"),
    )

    product_id: UUID = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    id: UUID
    """Another one each time that another price starts it again."""
    cursor: UUID
    advanced_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class ProductPrice(_Table, table=True):
    """The price of a product for the release before: the one that the Catalog stated last, whatever its currency."""

    __tablename__ = "product_prices"
    __table_args__ = (PrimaryKeyConstraint("product_id"),)

    product_id: UUID = Field(primary_key=True)
    price_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    discount_percent: int = Field(sa_type=SmallInteger)
    sale_id: str | None = Field(default=None, max_length=200)
    sale_ends_at: datetime | None = _time(default=None, nullable=True)
    said_at: datetime = _time()


class SaleFanout(_Table, table=True):
    """A running fan-out for the release before."""

    __tablename__ = "sale_fanouts"
    __table_args__ = (PrimaryKeyConstraint("product_id"), Index("ix_sale_fanouts_advanced_at", "advanced_at"))

    product_id: UUID = Field(primary_key=True)
    id: UUID
    """Another one each time that a price of the product starts it again."""
    cursor: UUID
    advanced_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


METADATA = _Table.metadata
"""All of the tables."""
