"""What 0013 kept for the release before goes: its keys, the index of undone entries, and the triggers for NULL.

Every key begins with the user now, and no table has a trigger, so each can be distributed by the user. Statements may
be repeated, and each table is a transaction of its own: nobody waits for one while another one is waited for.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index, drop_trigger

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_SWAPPED = ("outbox", "dead_letters")
_COLUMNS = {**dict.fromkeys(("outbox", "refused_records", "dead_letters"), "user_id"), "audit": "user_hash"}
_CONSTANTS = {"user_id": "'00000000-0000-0000-0000-000000000000'::uuid", "user_hash": "''::bytea"}
_UNDONE = sa.text("undo_of IS NOT NULL")


def _commit() -> None:
    with op.get_context().autocommit_block():
        pass


def upgrade() -> None:
    drop_index("uq_audit_undo_of", "audit", schema="gateway")
    for table in _COLUMNS:
        if table in _SWAPPED:
            op.execute(f"""
DO $$ BEGIN
    IF to_regclass('gateway.uq_{table}_user') IS NOT NULL THEN
        ALTER TABLE gateway.{table} DROP CONSTRAINT pk_{table},
            ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_user;
    END IF;
END $$
""")
        drop_trigger("nobody", table, schema="gateway")
        _commit()
    op.execute("DROP FUNCTION IF EXISTS gateway.nobodys_user_id(), gateway.nobodys_user_hash()")


def downgrade() -> None:
    for column, constant in _CONSTANTS.items():
        op.execute(f"""
CREATE OR REPLACE FUNCTION gateway.nobodys_{column}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.{column} := {constant};
    RETURN NEW;
END $$
""")
    for table, column in _COLUMNS.items():
        op.execute(
            f"CREATE OR REPLACE TRIGGER nobody BEFORE INSERT ON gateway.{table} FOR EACH ROW "
            f"WHEN (NEW.{column} IS NULL) EXECUTE FUNCTION gateway.nobodys_{column}()"
        )
    create_index("uq_audit_undo_of", "audit", ["undo_of"], schema="gateway", unique=True, postgresql_where=_UNDONE)
    for table in _SWAPPED:
        create_index(f"uq_{table}_id", table, ["id"], schema="gateway", unique=True)
        op.execute(
            f"ALTER TABLE gateway.{table} DROP CONSTRAINT pk_{table}, "
            f"ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_id"
        )
        create_index(f"uq_{table}_user", table, ["user_id", "id"], schema="gateway", unique=True)
