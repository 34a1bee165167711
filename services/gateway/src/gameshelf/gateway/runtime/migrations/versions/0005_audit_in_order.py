"""Indexes for listing the audit by kind and command; after a restore its ids of the lost time are not reused."""

from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MARK = """
    CREATE OR REPLACE FUNCTION gateway.mark_restored(point timestamptz, backup text, actor text, reason text)
    RETURNS uuid LANGUAGE sql AS $$
        UPDATE gateway.user_streams
        SET version = GREATEST(version, extract(epoch FROM now())::bigint * 1000),
            last_sequence = GREATEST(last_sequence, extract(epoch FROM now())::bigint * 1000),
            pruned_sequence = GREATEST(last_sequence, extract(epoch FROM now())::bigint * 1000);
        {more}
        INSERT INTO gateway.restores (restored_point, backup, actor, reason)
        VALUES (point, backup, actor, reason) RETURNING id;
    $$
"""
# An operator may have noted the id of an entry that the restore has lost: no other entry may get the same id.
_NUMBERS = """
        SELECT setval(
            pg_get_serial_sequence('gateway.audit', 'id'),
            GREATEST((SELECT max(id) FROM gateway.audit), extract(epoch FROM now())::bigint * 1000)
        );
"""


def upgrade() -> None:
    for name, columns in (
        ("ix_audit_kind", ["kind", "id"]),
        ("ix_audit_command", ["command", "id"]),
        ("ix_audit_command_kind", ["command", "kind", "id"]),
    ):
        create_index(name, "audit", columns, schema="gateway")
    op.execute(_MARK.format(more=_NUMBERS))


def downgrade() -> None:
    op.execute(_MARK.format(more=""))
    for name in ("ix_audit_command_kind", "ix_audit_command", "ix_audit_kind"):
        drop_index(name, "audit", schema="gateway")
