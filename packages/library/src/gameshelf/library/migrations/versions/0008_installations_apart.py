"""what tells whether installations count stands beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in every row, so that what an earlier form of `installations` holds doesn't count: its summary does.
    for name in ("installations_at", "installations_account_at"):
        op.add_column(
            "user_library_items", sa.Column(name, sa.DateTime(timezone=True), nullable=True), schema="library"
        )


def downgrade() -> None:
    for name in ("installations_account_at", "installations_at"):
        op.drop_column("user_library_items", name, schema="library")
