"""family sharing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "family_memberships",
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("product_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_access_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("owner_user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "owner_user_id", name=op.f("pk_family_memberships")),
        schema="library",
    )
    op.create_table(
        "family_seats",
        sa.Column("owner_user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("seat_number", sa.BigInteger(), nullable=False),
        sa.Column("holder_user_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(holder_user_id IS NULL) = (session_id IS NULL)", name=op.f("ck_family_seats_holder")),
        sa.CheckConstraint("(holder_user_id IS NULL) = (taken_at IS NULL)", name=op.f("ck_family_seats_taken_at")),
        sa.CheckConstraint("lost_at IS NULL OR holder_user_id IS NOT NULL", name=op.f("ck_family_seats_lost_at")),
        sa.PrimaryKeyConstraint("owner_user_id", "product_id", name=op.f("pk_family_seats")),
        schema="library",
    )
    op.create_index(
        "ix_family_seats_holder",
        "family_seats",
        ["holder_user_id"],
        unique=False,
        schema="library",
        postgresql_where=sa.text("holder_user_id IS NOT NULL"),
    )
    op.create_index(
        "ix_family_seats_lost_at",
        "family_seats",
        ["lost_at"],
        unique=False,
        schema="library",
        postgresql_where=sa.text("lost_at IS NOT NULL"),
    )
    op.create_index(
        "uq_family_seats_holder",
        "family_seats",
        ["owner_user_id", "holder_user_id"],
        unique=True,
        schema="library",
        postgresql_where=sa.text("holder_user_id IS NOT NULL"),
    )
    op.create_table(
        "family_sharing_links",
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("product_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_access_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shared_with_user_id", sa.Uuid(), nullable=False),
        sa.Column("invited_at", sa.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.CheckConstraint("mode IN ('all', 'only', 'except')", name=op.f("ck_family_sharing_links_mode")),
        sa.CheckConstraint(
            "status <> 'active' OR active_since IS NOT NULL", name=op.f("ck_family_sharing_links_active_since")
        ),
        sa.CheckConstraint(
            "status IN ('pending_approval', 'active', 'revoked_by_owner', 'declined_by_user', 'revoked_by_admin')",
            name=op.f("ck_family_sharing_links_status"),
        ),
        sa.CheckConstraint(
            "owner_user_id <> shared_with_user_id", name=op.f("ck_family_sharing_links_different_users")
        ),
        sa.PrimaryKeyConstraint("owner_user_id", "id", name=op.f("pk_family_sharing_links")),
        sa.UniqueConstraint(
            "owner_user_id",
            "shared_with_user_id",
            name=op.f("uq_family_sharing_links_owner_user_id_shared_with_user_id"),
        ),
        schema="library",
    )
    op.create_index(
        "ix_family_sharing_links_expires_at",
        "family_sharing_links",
        ["expires_at"],
        unique=False,
        schema="library",
        postgresql_where=sa.text("status IN ('pending_approval', 'active')"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_family_sharing_links_expires_at",
        table_name="family_sharing_links",
        schema="library",
        postgresql_where=sa.text("status IN ('pending_approval', 'active')"),
    )
    op.drop_table("family_sharing_links", schema="library")
    op.drop_index(
        "uq_family_seats_holder",
        table_name="family_seats",
        schema="library",
        postgresql_where=sa.text("holder_user_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_family_seats_lost_at",
        table_name="family_seats",
        schema="library",
        postgresql_where=sa.text("lost_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_family_seats_holder",
        table_name="family_seats",
        schema="library",
        postgresql_where=sa.text("holder_user_id IS NOT NULL"),
    )
    op.drop_table("family_seats", schema="library")
    op.drop_table("family_memberships", schema="library")
