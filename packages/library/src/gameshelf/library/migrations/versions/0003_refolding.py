"""sort keys of titles are folded anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The keys themselves are written by a job, once the rollout is over or while it lasts: a migration would hold up
    # the Catalog's facts for as long as it reads all products.
    op.add_column(
        "catalog_version",
        sa.Column("is_refolding", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="library",
    )


def downgrade() -> None:
    op.drop_column("catalog_version", "is_refolding", schema="library")
