"""Changes of tables that are in use, for migrations. They block no other transaction for long.

``op.create_index`` and ``op.create_check_constraint`` lock the table while they read all of it. The functions here read
it without such a lock. Rules of a migration (contract, section 12):

* a new column is nullable or has a constant default; the version before has to continue to work;
* columns and tables that a version no longer uses are removed by a later version's migration;
* an index of an existing table is created by ``create_index``, a check is added by ``add_check``;
* a trigger is dropped by ``drop_trigger``: where tables are distributed there is none;
* a table with many rows per user gets ``set_rows_per_user``.
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
"""The number of rows per user that the planner expects after ``set_rows_per_user``."""
_STATISTICS_LOCK_SECONDS = 5
"""The time-out of this lock, longer than those of other locks: it conflicts with no reader and no writer. After one
second PostgreSQL cancels an automatic VACUUM that holds it."""


def create_index(name: str, table: str, columns: Sequence[Any], *, schema: str, **options: Any) -> None:
    """Creates an index concurrently; does nothing where it exists.

    It commits the changes of the migration before it. An interrupted attempt leaves an invalid index, which is dropped
    and created again. ``options`` are those of ``op.create_index``.
    """
    migration = op.get_context()
    with migration.autocommit_block():
        if not migration.as_sql and op.get_bind().scalar(_IS_INVALID, {"schema": schema, "name": name}):
            op.drop_index(name, table_name=table, schema=schema, postgresql_concurrently=True)
        op.create_index(
            name, table, columns, schema=schema, postgresql_concurrently=True, if_not_exists=True, **options
        )


def drop_index(name: str, table: str, *, schema: str) -> None:
    """Drops an index concurrently; does nothing where there is none. It commits the changes of the migration before."""
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name=table, schema=schema, postgresql_concurrently=True, if_exists=True)


def drop_trigger(name: str, table: str, *, schema: str) -> None:
    """Drops a trigger; does nothing where there is none. Citus refuses ``DROP TRIGGER IF EXISTS`` for a distributed
    table, which has none.
    """
    full = f'"{schema}"."{table}"'
    op.execute(f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '{full}'::regclass AND tgname = '{name}') THEN
        DROP TRIGGER "{name}" ON {full};
    END IF;
END $$
""")


def add_check(name: str, table: str, condition: str, *, schema: str) -> None:
    """Adds a check, or replaces the one of this name: first for new and changed rows, then for the existing ones.

    Only the second step reads the table, and it blocks neither readers nor writers. The function commits the changes of
    the migration before it.
    """
    full = f'"{schema}"."{table}"'
    op.execute(
        f'ALTER TABLE {full} DROP CONSTRAINT IF EXISTS "{name}", ADD CONSTRAINT "{name}" CHECK ({condition}) NOT VALID'
    )
    # The first step is committed before: otherwise its lock would be held while the second one reads.
    with op.get_context().autocommit_block():
        op.execute(f'ALTER TABLE {full} VALIDATE CONSTRAINT "{name}"')


def set_rows_per_user(*tables: str, schema: str, column: str = "user_id") -> None:
    """Makes the planner expect ``ROWS_PER_USER`` rows per user in these tables, independent of ANALYZE.

    Statistics are out of date after a user has added many rows at once. From a table with few rows, each of another
    user, ANALYZE concludes that a user has one row. Then every index whose first column is the user's looks equally
    good, and a statement about thousands of rows of one user may read all of the user's rows once for each of them.

    The option takes effect with the next ANALYZE. For a table with rows the function runs it: for one column, from a
    sample of at most 30,000 rows (``default_statistics_target``), for any size. An empty table is not analyzed: the
    planner would conclude that it stays empty. From PostgreSQL 18 on the function writes the expectation to the
    statistics of the column; with earlier versions the planner guesses until the first ANALYZE. A distributed table of
    Citus refuses the option and stays unchanged.
    """
    expected = -1 / ROWS_PER_USER
    statistics = f"'null_frac', 0::real, 'avg_width', 16, 'n_distinct', {expected}::real"
    for table in tables:
        column_of_table = f"'schemaname', '{schema}', 'relname', '{table}', 'attname', '{column}', 'inherited', false"
        write = f"pg_restore_attribute_stats({column_of_table}, {statistics})"
        _set_statistics_option(table, schema, column, f"SET (n_distinct = {expected})", write)


def reset_rows_per_user(*tables: str, schema: str, column: str = "user_id") -> None:
    """Reverts ``set_rows_per_user``."""
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
    RAISE NOTICE 'the statistics of {schema}.{table} stay unchanged: %', SQLERRM;
END $$
"""  # noqa: S608 - names that migrations give
    op.execute(f"SET LOCAL lock_timeout = '{_STATISTICS_LOCK_SECONDS}s'")
    op.execute(change)
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
