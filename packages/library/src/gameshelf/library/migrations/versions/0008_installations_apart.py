"""times that show whether installations count."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in every row, so that an earlier form of `installations` does not count, only its summary.
    for name in ("installations_at", "installations_account_at"):
        op.add_column(
            "user_library_items", sa.Column(name, sa.DateTime(timezone=True), nullable=True), schema="library"
        )


def downgrade() -> None:
    for name in ("installations_account_at", "installations_at"):
        op.drop_column("user_library_items", name, schema="library")
