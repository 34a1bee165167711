"""first accesses.

No rows have to be filled in: ended grants and links are still stored, and the times follow from them. The times of
links that were accepted again before this migration were overwritten and cannot be restored.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_accesses",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("first_access_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_first_accesses")),
        schema="library",
    )


def downgrade() -> None:
    op.drop_table("first_accesses", schema="library")
