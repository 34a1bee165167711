"""sort keys of titles are computed again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A job writes the keys, during the rollout or after it: a migration would block the Catalog's facts while it reads
    # all products.
    op.add_column(
        "catalog_version",
        sa.Column("is_refolding", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="library",
    )


def downgrade() -> None:
    op.drop_column("catalog_version", "is_refolding", schema="library")
