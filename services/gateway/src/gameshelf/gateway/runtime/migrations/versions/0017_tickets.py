"""The ticket that a change by support belongs to. Entries of versions before this one have none."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Repeatable: the index is created in a transaction of its own, and a run may end between the two.
    op.execute("ALTER TABLE gateway.audit ADD COLUMN IF NOT EXISTS ticket varchar(100)")
    create_index(
        "ix_audit_ticket",
        "audit",
        ["ticket", "id"],
        schema="gateway",
        postgresql_where=sa.text("ticket IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index("ix_audit_ticket", "audit", schema="gateway")
    op.drop_column("audit", "ticket", schema="gateway")
