"""The hash of a body's values, besides that of its bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency_keys", sa.Column("values_hash", sa.LargeBinary(), nullable=True), schema="gateway")


def downgrade() -> None:
    op.drop_column("idempotency_keys", "values_hash", schema="gateway")
