"""first accesses.

Nothing has to be filled in: grants that ended and links are all still there, and tell of themselves. What a link was
before it was accepted anew was overwritten, and isn't made up.
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
