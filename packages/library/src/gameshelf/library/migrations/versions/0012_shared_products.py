"""what is shared is kept with the member.

No rows are filled in here: every active link counts as outdated, and a job of the service copies the products of one
link after the other.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ADDED = ("products_as_of", "products_since")


def upgrade() -> None:
    for name in _ADDED:
        op.add_column(
            "family_memberships", sa.Column(name, sa.DateTime(timezone=True), nullable=True), schema="library"
        )
    op.create_table(
        "shared_products",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("owner_user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("product_type", sa.String(length=50), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "owner_user_id", "product_id", name=op.f("pk_shared_products")),
        sa.ForeignKeyConstraint(
            ["user_id", "owner_user_id"],
            ["library.family_memberships.user_id", "library.family_memberships.owner_user_id"],
            name=op.f("fk_shared_products_family_memberships"),
            ondelete="CASCADE",
        ),
        schema="library",
    )
    op.create_table(
        "share_changes",
        sa.Column("owner_user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("owner_user_id", "id", name=op.f("pk_share_changes")),
        schema="library",
    )
    set_rows_per_user("shared_products", schema="library")
    set_rows_per_user("share_changes", schema="library", column="owner_user_id")


def downgrade() -> None:
    reset_rows_per_user("share_changes", schema="library", column="owner_user_id")
    reset_rows_per_user("shared_products", schema="library")
    op.drop_table("share_changes", schema="library")
    op.drop_table("shared_products", schema="library")
    for name in reversed(_ADDED):
        op.drop_column("family_memberships", name, schema="library")
