"""installations of each device."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in existing rows: their columns of the account contain everything that is known.
    op.add_column(
        "user_library_items",
        sa.Column("installations", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        schema="library",
    )


def downgrade() -> None:
    op.drop_column("user_library_items", "installations", schema="library")
