"""order facts.

Stores the quantities of orders, their refunds and reinstatements. The release before writes neither column; a grant
that it ends counts as fully refunded.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_facts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("fact_id", sa.String(length=210), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'reinstatement')", name=op.f("ck_order_facts_kind")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_facts_quantity")),
        sa.PrimaryKeyConstraint("user_id", "product_id", "source_id", "kind", "fact_id", name=op.f("pk_order_facts")),
        schema="library",
    )
    op.add_column("ownership_grants", sa.Column("quantity", sa.BigInteger(), nullable=True), schema="library")
    op.add_column("ownership_grants", sa.Column("ended_by", sa.String(length=20), nullable=True), schema="library")


def downgrade() -> None:
    op.drop_column("ownership_grants", "ended_by", schema="library")
    op.drop_column("ownership_grants", "quantity", schema="library")
    op.drop_table("order_facts", schema="library")
