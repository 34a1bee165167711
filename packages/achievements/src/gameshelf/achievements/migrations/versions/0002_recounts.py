"""A recount of rarities resumes where it stopped, and reads the owners of a product in parts."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recounts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recounts"),
        schema="achievements",
    )
    create_index("ix_owned_products_walk", "owned_products", ["product_id", "user_id"], schema="achievements")


def downgrade() -> None:
    drop_index("ix_owned_products_walk", "owned_products", schema="achievements")
    op.drop_table("recounts", schema="achievements")
