"""The indexes by which a page of a user's timeline, and a change of a batch, are found without reading other entries."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_audit_user", "audit", ["user_hash", "happened_at"], schema="gateway")
    create_index(
        "ix_audit_batch_item",
        "audit",
        ["batch_id", "batch_item"],
        schema="gateway",
        postgresql_where=sa.text("batch_item IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index("ix_audit_batch_item", "audit", schema="gateway")
    drop_index("ix_audit_user", "audit", schema="gateway")
