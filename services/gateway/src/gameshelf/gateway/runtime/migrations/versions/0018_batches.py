"""The batch that a change by support belongs to, and the rule that it makes each change once.

Entries of versions before this one belong to none.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Repeatable: the indexes are created in transactions of their own, and a run may end between them.
    op.execute(
        "ALTER TABLE gateway.audit ADD COLUMN IF NOT EXISTS batch_id uuid, ADD COLUMN IF NOT EXISTS batch_item bigint"
    )
    create_index(
        "ix_audit_batch",
        "audit",
        ["batch_id", "id"],
        schema="gateway",
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    create_index(
        "uq_audit_batch",
        "audit",
        ["user_hash", "batch_id", "batch_item"],
        schema="gateway",
        unique=True,
        postgresql_where=sa.text("batch_item IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index("uq_audit_batch", "audit", schema="gateway")
    drop_index("ix_audit_batch", "audit", schema="gateway")
    op.drop_column("audit", "batch_item", schema="gateway")
    op.drop_column("audit", "batch_id", schema="gateway")
