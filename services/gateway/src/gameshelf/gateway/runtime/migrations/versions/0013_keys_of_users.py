"""Keys of outbox, refused records, dead letters and audit begin with the user, so that they can be distributed by it.

The release before inserts NULL where a row is about no user. A trigger writes the constant in its place, so that no
statement has to find rows in two ways. That release shows such a dead letter with a user of zeros and leaves it out of
a replay; this one shows and replays it as before.

Of refused records and audit it uses no key by name, so theirs are swapped here. It finds records of the outbox by their
id, and names the id in ON CONFLICT of dead letters: these two keys, and the index of undone entries, are left to the
next release (``gameshelf.gateway.runtime.old_keys``).
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import (
    add_check,
    create_index,
    drop_index,
    reset_rows_per_user,
    set_rows_per_user,
)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UNDONE = sa.text("undo_of IS NOT NULL")
_OF_USERS = ("outbox", "refused_records", "dead_letters")
_COLUMNS = {**dict.fromkeys(_OF_USERS, "user_id"), "audit": "user_hash"}
_NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
_CONSTANTS = {"user_id": _NOBODY, "user_hash": "''::bytea"}
_SWAPPED = ("refused_records", "audit")


def _create_trigger(table: str, column: str) -> None:
    op.execute(f"""
CREATE OR REPLACE FUNCTION gateway.nobodys_{column}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.{column} := {_CONSTANTS[column]};
    RETURN NEW;
END $$
""")
    op.execute(
        f"CREATE OR REPLACE TRIGGER nobody BEFORE INSERT ON gateway.{table} FOR EACH ROW WHEN (NEW.{column} IS NULL) "
        f"EXECUTE FUNCTION gateway.nobodys_{column}()"
    )


def _fill(table: str, column: str) -> None:
    """Replaces NULL in the existing rows, in small transactions that wait for nobody's lock.

    Rows are found by the index that begins with the column, each time after the last one, and changed by their place:
    no plan of these statements depends on statistics. The last look fails like a lock that is not available, which is
    tried again, where somebody holds a row.
    """
    kind, first = ("uuid", _NOBODY) if table == "dead_letters" else ("bigint", "0")
    with op.get_context().autocommit_block():
        op.execute(f"""
DO $$ DECLARE last {kind} := {first}; places tid[]; BEGIN
    LOOP
        SELECT array_agg(part.place), (array_agg(part.id ORDER BY part.id DESC))[1] INTO places, last FROM (
            SELECT ctid AS place, id FROM gateway.{table} WHERE {column} IS NULL AND id >= last
            ORDER BY {column}, id LIMIT 5000 FOR UPDATE SKIP LOCKED
        ) part;
        EXIT WHEN last IS NULL;
        UPDATE gateway.{table} SET {column} = {_CONSTANTS[column]} WHERE ctid = ANY (places);
        COMMIT;
    END LOOP;
    IF EXISTS (SELECT FROM gateway.{table} WHERE {column} IS NULL) THEN
        RAISE lock_not_available USING MESSAGE = 'somebody holds a row of gateway.{table}';
    END IF;
END $$
""")  # noqa: S608 - names of this file


def _require(table: str, column: str) -> None:
    """Makes a column NOT NULL. A valid check spares the server from reading the table under its lock."""
    name = f"{table}_{column}_is_there"
    add_check(name, table, f"{column} IS NOT NULL", schema="gateway")
    op.execute(f'ALTER TABLE gateway.{table} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT "{name}"')


def _swap_key(table: str, index: str) -> None:
    op.execute(
        f"ALTER TABLE gateway.{table} DROP CONSTRAINT pk_{table}, "
        f"ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX {index}"
    )


def upgrade() -> None:
    for table, column in _COLUMNS.items():
        _create_trigger(table, column)
    for table, column in _COLUMNS.items():
        create_index(f"uq_{table}_user", table, [column, "id"], schema="gateway", unique=True)
    for name, table in (("ix_dead_letters_id", "dead_letters"), ("ix_audit_id", "audit")):
        create_index(name, table, ["id"], schema="gateway")
    for table, column in _COLUMNS.items():
        _fill(table, column)
        _require(table, column)
    # After NULL is gone: it would not keep a second undo of such an entry out.
    create_index(
        "uq_audit_undo", "audit", ["user_hash", "undo_of"], schema="gateway", unique=True, postgresql_where=_UNDONE
    )
    for table in _COLUMNS:
        drop_index(f"ix_{table}_user", table, schema="gateway")
    for table in _SWAPPED:
        _swap_key(table, f"uq_{table}_user")
    set_rows_per_user(*_OF_USERS, schema="gateway")
    set_rows_per_user("audit", schema="gateway", column="user_hash")


def downgrade() -> None:
    reset_rows_per_user("audit", schema="gateway", column="user_hash")
    reset_rows_per_user(*_OF_USERS, schema="gateway")
    for table in _SWAPPED:
        create_index(f"uq_{table}_id", table, ["id"], schema="gateway", unique=True)
        _swap_key(table, f"uq_{table}_id")
    for table, column in _COLUMNS.items():
        op.execute(f"ALTER TABLE gateway.{table} ALTER COLUMN {column} DROP NOT NULL")
        op.execute(f"DROP TRIGGER nobody ON gateway.{table}")
    for column in _CONSTANTS:
        op.execute(f"DROP FUNCTION gateway.nobodys_{column}()")
    for table in _OF_USERS:
        create_index(f"ix_{table}_user", table, ["user_id"], schema="gateway")
    create_index(
        "ix_audit_user",
        "audit",
        ["user_hash", "id"],
        schema="gateway",
        postgresql_where=sa.text("user_hash IS NOT NULL"),
    )
    for name, table in (
        ("uq_outbox_user", "outbox"),
        ("uq_dead_letters_user", "dead_letters"),
        ("ix_dead_letters_id", "dead_letters"),
        ("ix_audit_id", "audit"),
        ("uq_audit_undo", "audit"),
    ):
        drop_index(name, table, schema="gateway")
