"""Changes of tables that are in use, as a migration makes them without holding up anybody.

``op.create_index`` and ``op.create_check_constraint`` lock the table for as long as they read all of it. What is here
reads it beside everybody else. Rules of a migration (contract, section 12):

* what a table gets is nullable or has a constant default; the version before has to go on working;
* what a version no longer uses is removed by a later version's migration;
* an index of a table that exists already is made by ``create_index``, a check is added by ``add_check``;
* a table of which a user has many rows gets ``set_rows_per_user``.
"""

from collections.abc import Sequence
from typing import Any

from alembic import op
from gameshelf.kernel.migrations import LOCK_TIMEOUT_SECONDS
from sqlalchemy import text

_IS_INVALID = text(
    "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relname = :name AND NOT i.indisvalid"
)

ROWS_PER_USER = 50
"""How many rows of a table the planner expects a user to have, where ``set_rows_per_user`` says so."""
_STATISTICS_LOCK_SECONDS = 5
"""Longer than other locks of migrations are waited for: it conflicts with no reader and no writer. From one second on
PostgreSQL ends an automatic VACUUM that holds it."""


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


def set_rows_per_user(*tables: str, schema: str, column: str = "user_id") -> None:
    """Makes the planner expect ``ROWS_PER_USER`` rows a user in these tables, whatever ANALYZE has seen.

    Statistics are behind where a user's rows come in a burst. From a table with few rows, each of another user, ANALYZE
    concludes that a user has one row. Then every index whose first column is the user's looks equally good, and a
    statement about thousands of rows of one user may read all of the user's rows once for each of them.

    The option takes effect with the next ANALYZE. Where there are rows, this ANALYZE is done here: of one column,
    from a sample of 30,000 rows at most (``default_statistics_target``), whatever the size. An empty table is not
    analyzed: the planner would take it for one that stays empty. From PostgreSQL 18 on the expectation is written
    as the statistics of its column; before, the planner guesses until the first ANALYZE. A distributed table of
    Citus refuses the option, and is left as it is.
    """
    expected = -1 / ROWS_PER_USER
    statistics = f"'null_frac', 0::real, 'avg_width', 16, 'n_distinct', {expected}::real"
    for table in tables:
        column_of_table = f"'schemaname', '{schema}', 'relname', '{table}', 'attname', '{column}', 'inherited', false"
        write = f"pg_restore_attribute_stats({column_of_table}, {statistics})"
        _set_statistics_option(table, schema, column, f"SET (n_distinct = {expected})", write)


def reset_rows_per_user(*tables: str, schema: str, column: str = "user_id") -> None:
    """Takes ``set_rows_per_user`` back."""
    for table in tables:
        clear = f"pg_clear_attribute_stats('{schema}', '{table}', '{column}', false)"
        _set_statistics_option(table, schema, column, "RESET (n_distinct)", clear)


def _set_statistics_option(table: str, schema: str, column: str, action: str, without_rows: str) -> None:
    full = f'"{schema}"."{table}"'
    change = f"""
DO $$ BEGIN
    ALTER TABLE {full} ALTER COLUMN "{column}" {action};
    IF (SELECT reltuples > 0 FROM pg_class WHERE oid = '{full}'::regclass) THEN
        ANALYZE {full} ("{column}");
    ELSIF current_setting('server_version_num')::int >= 180000 THEN
        PERFORM {without_rows};
    END IF;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'the planner is told nothing about {schema}.{table}: %', SQLERRM;
END $$
"""  # noqa: S608 - names that migrations give
    op.execute(f"SET LOCAL lock_timeout = '{_STATISTICS_LOCK_SECONDS}s'")
    op.execute(change)
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
