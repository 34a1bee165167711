"""The tables of the schema ``library``.

Names, columns and checks are the specification's (section 4). Every key begins with ``user_id``, so that the tables can
be distributed by it; products are a reference table. A table class does not validate: ``_commands.py`` checks input
before it gets here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from gameshelf.library._finding_indexes import grants_by_source, links_by_id, products_by_words
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "library"


class AcquisitionType(StrEnum):
    """How a game came into a library: `purchase`, `gift`, `key_activation`, `family_shared_access` (a family member
    shares it) or `free_to_play`.
    """

    PURCHASE = "purchase"
    GIFT = "gift"
    KEY_ACTIVATION = "key_activation"
    FAMILY_SHARED_ACCESS = "family_shared_access"
    FREE_TO_PLAY = "free_to_play"


class InstallationStatus(StrEnum):
    """Status of an installation: `not_installed`, `installing`, `installed`, `updating`, `repair_needed` or `error`."""

    NOT_INSTALLED = "not_installed"
    INSTALLING = "installing"
    INSTALLED = "installed"
    UPDATING = "updating"
    REPAIR_NEEDED = "repair_needed"
    ERROR = "error"


class GrantKind(StrEnum):
    """What a grant of ownership comes from; its source id is the order's, key's, gift's, claim's or action's."""

    ORDER = "order"
    KEY = "key"
    GIFT = "gift"
    CLAIM = "claim"
    SUPPORT = "support"


class OrderFactKind(StrEnum):
    """The kinds of events about an order after its purchase."""

    REFUND = "refund"
    REINSTATEMENT = "reinstatement"
    """A refund was taken back, for example because a chargeback was reversed."""


class EndedBy(StrEnum):
    """Why the grant of an order ended, where that decides whether it can come back."""

    ORDER_FACTS = "order_facts"
    """All copies were refunded: a reinstatement brings the grant back."""
    SUPPORT = "support"
    """Support revoked it: only a new grant by support brings the product back."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )


def _time(**kwargs: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def _one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{member}'" for member in kind)
    return CheckConstraint(f"{column} IN ({values})", name=column)


class LibraryItem(_Table, table=True):
    """One row per user and product: the user's state of a game. It outlives access to the game.

    ``acquisition_type`` is null while there is no access, and then the item is absent from every read.
    """

    __tablename__ = "user_library_items"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "product_id"),
        _one_of("acquisition_type", AcquisitionType),
        _one_of("installation_status", InstallationStatus),
        CheckConstraint("total_playtime_seconds >= 0", name="total_playtime_seconds"),
        CheckConstraint("(acquisition_type IS NULL) = (added_at IS NULL)", name="access"),
        # The first page in its default order; the total is counted in the index alone.
        Index(
            "ix_user_library_items_shown",
            "user_id",
            text("last_played_at DESC NULLS LAST"),
            text("added_at DESC"),
            "id",
            postgresql_where=text("acquisition_type IS NOT NULL AND is_hidden IS FALSE"),
        ),
        # The same for hidden items, which are few.
        Index(
            "ix_user_library_items_hidden",
            "user_id",
            text("last_played_at DESC NULLS LAST"),
            text("added_at DESC"),
            "id",
            postgresql_where=text("acquisition_type IS NOT NULL AND is_hidden IS TRUE"),
        ),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    product_id: UUID
    product_type: str | None = Field(default=None, max_length=50)
    """The type according to the purchase; that of the Catalog counts more."""
    added_at: datetime | None = _time(default=None, nullable=True)
    acquisition_type: str | None = Field(default=None, sa_type=String(50))
    shared_from_user_id: UUID | None = None
    installation_status: str = Field(
        default=InstallationStatus.NOT_INSTALLED,
        sa_type=String(50),
        sa_column_kwargs={"server_default": InstallationStatus.NOT_INSTALLED.value},
    )
    installed_version_id: str | None = Field(default=None, max_length=100)
    installation_changed_at: datetime | None = _time(default=None, nullable=True)
    installations: list[Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """The installations of each device; see ``_installations.py``. The three columns before it are their summary."""
    installations_at: datetime | None = _time(default=None, nullable=True)
    """``installation_changed_at`` as it was when ``installations`` was written. Where they differ, a version without
    devices has written the summary since, and then only the summary counts."""
    installations_account_at: datetime | None = _time(default=None, nullable=True)
    """The time of the last fact that named no device."""
    last_played_at: datetime | None = _time(default=None, nullable=True)
    total_playtime_seconds: int = Field(
        default=0,
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("0")},
    )
    is_hidden: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    user_rating: float | None = Field(default=None, sa_type=Double)
    rating_changed_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})
    updated_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class Category(_Table, table=True):
    """A user's own collection of games."""

    __tablename__ = "user_game_categories"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "name"),
        Index(
            "uq_user_game_categories_name_key",
            "user_id",
            "name_key",
            unique=True,
            postgresql_where=text("name_key IS NOT NULL"),
        ),
        Index("ix_user_game_categories_unkeyed", "user_id", postgresql_where=text("name_key IS NULL")),
    )

    user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=100)
    name_key: str | None = Field(default=None, sa_type=String(collation="C"))
    """The folded name. Null where it is not stored yet, or where an older category has the same folded name."""
    display_order: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})
    updated_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class ItemCategory(_Table, table=True):
    """An item is in a category."""

    __tablename__ = "user_library_item_to_categories"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "library_item_id", "category_id"),
        ForeignKeyConstraint(
            ["user_id", "library_item_id"],
            ["library.user_library_items.user_id", "library.user_library_items.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["library.user_game_categories.user_id", "library.user_game_categories.id"],
            ondelete="CASCADE",
        ),
        Index("ix_user_library_item_to_categories_category", "user_id", "category_id"),
    )

    user_id: UUID = Field(primary_key=True)
    library_item_id: UUID = Field(primary_key=True)
    category_id: UUID = Field(primary_key=True)


class Grant(_Table, table=True):
    """One reason why a user owns a product. A product is owned while any grant of it lives.

    An ended grant stays as a tombstone: ``acquired_at`` is null when the refund was received before the purchase.
    ``ended_at`` of an order's grant follows from its ``OrderFact`` rows.
    """

    __tablename__ = "ownership_grants"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id", "kind", "source_id"),
        grants_by_source(),
        _one_of("kind", GrantKind),
        CheckConstraint("acquired_at IS NOT NULL OR ended_at IS NOT NULL", name="lives_or_ended"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, sa_type=String(20))
    source_id: str = Field(primary_key=True, max_length=200)
    acquired_at: datetime | None = _time(default=None, nullable=True)
    ended_at: datetime | None = _time(default=None, nullable=True)
    quantity: int | None = Field(default=None, sa_type=BigInteger)
    """How many copies an order bought; null counts as one."""
    ended_by: str | None = Field(default=None, sa_type=String(20))
    """An ``EndedBy``. Null while the grant lives, where the end is final anyway, and where a release without quantities
    wrote ``ended_at``: that counts as a refund of all copies."""
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class OrderFact(_Table, table=True):
    """A refund or a reinstatement of an order's product, stored once. It may be received before the purchase."""

    __tablename__ = "order_facts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "product_id", "source_id", "kind", "fact_id"),
        _one_of("kind", OrderFactKind),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    source_id: str = Field(primary_key=True, max_length=200)
    """The order's."""
    kind: str = Field(primary_key=True, sa_type=String(20))
    fact_id: str = Field(primary_key=True, max_length=210)
    """The id of the refund or reinstatement, or one of the event that reported it."""
    quantity: int | None = Field(default=None, sa_type=BigInteger)
    """Null: all."""
    occurred_at: datetime = _time()
    """The event's own time: facts are applied in this order."""
    created_at: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class LinkStatus(StrEnum):
    """State of a family link: `pending_approval` (the member has not answered yet), `active`, `revoked_by_owner` (also
    one that has expired), `declined_by_user` (the member declined it, or left) or `revoked_by_admin`.
    """

    PENDING = "pending_approval"
    ACTIVE = "active"
    REVOKED = "revoked_by_owner"
    DECLINED = "declined_by_user"
    REVOKED_BY_ADMIN = "revoked_by_admin"


class LinkMode(StrEnum):
    """Which games of the owner a link shares: `all`, `only` those that are named, or all `except` those."""

    ALL = "all"
    ONLY = "only"
    EXCEPT = "except"


class _Link(SQLModel):
    """The columns that a link between an owner and a member has on both sides."""

    status: str = Field(sa_type=String(50))
    mode: str = Field(sa_type=String(10))
    product_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    """The products of the modes ``only`` and ``except``."""
    expires_at: datetime | None = _time(default=None, nullable=True)
    shared_at: datetime = _time()
    """When the member was last invited or accepted."""
    active_since: datetime | None = _time(default=None, nullable=True)
    """When the member last accepted: the beginning of their access."""
    last_access_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time()
    updated_at: datetime = _time()


class FamilyLink(_Link, _Table, table=True):
    """An owner shares games with a member: one row per pair, stored with the owner's data."""

    __tablename__ = "family_sharing_links"
    __table_args__ = (
        PrimaryKeyConstraint("owner_user_id", "id"),
        UniqueConstraint("owner_user_id", "shared_with_user_id"),
        CheckConstraint("owner_user_id <> shared_with_user_id", name="different_users"),
        _one_of("status", LinkStatus),
        _one_of("mode", LinkMode),
        CheckConstraint("status <> 'active' OR active_since IS NOT NULL", name="active_since"),
        links_by_id(),
        Index(
            "ix_family_sharing_links_expires_at",
            "expires_at",
            postgresql_where=text("status IN ('pending_approval', 'active')"),
        ),
    )

    owner_user_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    shared_with_user_id: UUID
    invited_at: list[datetime] = Field(sa_type=ARRAY(DateTime(timezone=True)))
    """When the member was invited, the last few times."""


OUTDATED = "products_as_of IS DISTINCT FROM updated_at AND (status = 'active' OR products_since IS NOT NULL)"


class FamilyMembership(_Link, _Table, table=True):
    """The mirror of a link, with the member's data. Each change of a link changes it, under the link's row lock."""

    __tablename__ = "family_memberships"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "owner_user_id"),
        # Links whose products have to be compared with what the owner owns; see ``_shares/``.
        Index("ix_family_memberships_outdated", "user_id", "owner_user_id", postgresql_where=text(OUTDATED)),
    )

    user_id: UUID = Field(primary_key=True)
    owner_user_id: UUID = Field(primary_key=True)
    id: UUID
    """The link's."""
    products_as_of: datetime | None = _time(default=None, nullable=True)
    """``updated_at`` of the link that the rows of ``_shares/models.py`` show. Null: the owner's games, or the link,
    have changed since. Where the two differ a version without these rows has changed the link."""
    products_since: datetime | None = _time(default=None, nullable=True)
    """``active_since`` of the link that the rows show. Null: there are none."""


class FirstAccess(_Table, table=True):
    """When a user could first play a product, where it no longer follows from grants and links; see
    ``_first_access.py``.
    """

    __tablename__ = "first_accesses"
    __table_args__ = (PrimaryKeyConstraint("user_id", "product_id"),)

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    first_access_at: datetime = _time()


class FamilySeat(_Table, table=True):
    """The one seat of an owner's copy: which member plays it now, if any."""

    __tablename__ = "family_seats"
    __table_args__ = (
        PrimaryKeyConstraint("owner_user_id", "product_id"),
        CheckConstraint("(holder_user_id IS NULL) = (session_id IS NULL)", name="holder"),
        CheckConstraint("(holder_user_id IS NULL) = (taken_at IS NULL)", name="taken_at"),
        CheckConstraint("lost_at IS NULL OR holder_user_id IS NOT NULL", name="lost_at"),
        # A member holds one seat of an owner at a time.
        Index(
            "uq_family_seats_holder",
            "owner_user_id",
            "holder_user_id",
            unique=True,
            postgresql_where=text("holder_user_id IS NOT NULL"),
        ),
        Index("ix_family_seats_holder", "holder_user_id", postgresql_where=text("holder_user_id IS NOT NULL")),
        Index("ix_family_seats_lost_at", "lost_at", postgresql_where=text("lost_at IS NOT NULL")),
    )

    owner_user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    seat_number: int = Field(sa_type=BigInteger)
    """Grows each time the seat is taken, which distinguishes an old holder from a new one."""
    holder_user_id: UUID | None = None
    session_id: UUID | None = None
    taken_at: datetime | None = _time(default=None, nullable=True)
    lost_at: datetime | None = _time(default=None, nullable=True)
    """When the holder has to stop, because the owner plays; set once."""


class Product(_Table, table=True):
    """The data of a product that the Catalog has published; each field has its newest value, by the Catalog's own time.

    The two sort keys are folded titles, each with the other language as fallback; ``COLLATE "C"`` makes their order the
    same on every server.
    """

    __tablename__ = "products"
    __table_args__ = (
        PrimaryKeyConstraint("product_id"),
        products_by_words(),
    )

    product_id: UUID = Field(primary_key=True)
    product_type: str | None = Field(default=None, max_length=50)
    title_ru: str | None = Field(default=None, max_length=500)
    title_en: str | None = Field(default=None, max_length=500)
    sort_key_ru: str | None = Field(default=None, sa_type=String(collation="C"))
    sort_key_en: str | None = Field(default=None, sa_type=String(collation="C"))
    cover_image_url: str | None = Field(default=None, max_length=2000)
    is_free_to_play: bool | None = Field(default=None, sa_type=Boolean)
    family_sharing_allowed: bool | None = Field(default=None, sa_type=Boolean)
    product_type_at: datetime | None = _time(default=None, nullable=True)
    title_ru_at: datetime | None = _time(default=None, nullable=True)
    title_en_at: datetime | None = _time(default=None, nullable=True)
    cover_image_url_at: datetime | None = _time(default=None, nullable=True)
    is_free_to_play_at: datetime | None = _time(default=None, nullable=True)
    family_sharing_allowed_at: datetime | None = _time(default=None, nullable=True)


class MissingProduct(_Table, table=True):
    """A product that came into a library before its title was known; the Catalog is asked for it from ``ask_after`` on.

    There is one row per user, so that two users never wait for each other. It is deleted once the title is known.
    """

    __tablename__ = "wanted_products"
    __table_args__ = (PrimaryKeyConstraint("user_id", "product_id"), Index("ix_wanted_products_ask_after", "ask_after"))

    user_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(primary_key=True)
    ask_after: datetime = _time(sa_column_kwargs={"server_default": func.now()})


class CatalogVersion(_Table, table=True):
    """One row that counts the commits that changed products: part of every library's ETag.

    Every writer of products locks it first. A sequence would not do: its number is visible before the commit that took
    it.
    """

    __tablename__ = "catalog_version"
    __table_args__ = (PrimaryKeyConstraint("singleton"), CheckConstraint("singleton", name="singleton"))

    singleton: bool = Field(
        default=True, primary_key=True, sa_type=Boolean, sa_column_kwargs={"server_default": text("true")}
    )
    version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    is_refolding: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    """Whether sort keys have changed since the version last grew."""


class ItemIdRewrite(_Table, table=True):
    """One row: the progress of rewriting item ids; see ``_store/item_id_rewrite.py``."""

    __tablename__ = "item_id_rewrite"
    __table_args__ = (PrimaryKeyConstraint("singleton"), CheckConstraint("singleton", name="singleton"))

    singleton: bool = Field(
        default=True, primary_key=True, sa_type=Boolean, sa_column_kwargs={"server_default": text("true")}
    )
    not_before: datetime = _time()
    after_user: UUID
    after_item: UUID
    has_skipped: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    finished_at: datetime | None = _time(default=None, nullable=True)


METADATA = _Table.metadata
"""All tables of the schema."""
