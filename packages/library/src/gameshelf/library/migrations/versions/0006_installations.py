"""where a game stands on each device."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null, as in every row that is there: the columns of the account say all that is known.
    op.add_column(
        "user_library_items",
        sa.Column("installations", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        schema="library",
    )


def downgrade() -> None:
    op.drop_column("user_library_items", "installations", schema="library")
