"""Changes of tables that are in use, as a migration makes them without holding up anybody.

``op.create_index`` and ``op.create_check_constraint`` lock the table for as long as they read all of it. What is here
reads it beside everybody else. Rules of a migration (contract, section 12):

* what a table gets is nullable or has a constant default; the version before has to go on working;
* what a version no longer uses is removed by a later version's migration;
* an index of a table that exists already is made by ``create_index``, a check is added by ``add_check``.
"""

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import text

_IS_INVALID = text(
    "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relname = :name AND NOT i.indisvalid"
)


def create_index(name: str, table: str, columns: Sequence[Any], *, schema: str, **options: Any) -> None:
    """Makes an index concurrently; does nothing where it is there.

    It commits what the migration did before it. An attempt that was interrupted leaves an invalid index behind, which
    is dropped and made again. ``options`` are those of ``op.create_index``.
    """
    migration = op.get_context()
    with migration.autocommit_block():
        if not migration.as_sql and op.get_bind().scalar(_IS_INVALID, {"schema": schema, "name": name}):
            op.drop_index(name, table_name=table, schema=schema, postgresql_concurrently=True)
        op.create_index(
            name, table, columns, schema=schema, postgresql_concurrently=True, if_not_exists=True, **options
        )


def drop_index(name: str, table: str, *, schema: str) -> None:
    """Drops an index concurrently; does nothing where there is none. It commits what the migration did before it."""
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name=table, schema=schema, postgresql_concurrently=True, if_exists=True)


def add_check(name: str, table: str, condition: str, *, schema: str) -> None:
    """Adds a check, or replaces the one of this name: at once for what is written from now on, then for what is there.

    Only the second step reads the table, and locks nobody out. It commits what the migration did before it.
    """
    full = f'"{schema}"."{table}"'
    op.execute(
        f'ALTER TABLE {full} DROP CONSTRAINT IF EXISTS "{name}", ADD CONSTRAINT "{name}" CHECK ({condition}) NOT VALID'
    )
    # The first step is committed before: else its lock would be kept for as long as the second one reads.
    with op.get_context().autocommit_block():
        op.execute(f'ALTER TABLE {full} VALIDATE CONSTRAINT "{name}"')
