"""The index by which a page of a user's timeline finds entries of the audit, and reads no others."""

from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_audit_user", "audit", ["user_hash", "happened_at"], schema="gateway")


def downgrade() -> None:
    drop_index("ix_audit_user", "audit", schema="gateway")
