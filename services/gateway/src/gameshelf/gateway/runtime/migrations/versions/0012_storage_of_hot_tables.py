"""Storage of the tables that every write touches: room for updates in their pages, and early VACUUMs."""

from collections.abc import Iterable

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A fifth of a table is dead before the server's own setting starts a VACUUM: of a day's feed at 10,000 writes per
# second, 170 million rows. These tables are vacuumed at one percent, so that each run is short.
_EARLY = {
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_insert_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_limit": "2000",
}
_OF_TABLE = {
    # Each write updates the user's row, and no index has the columns that it changes. With room in its page the new
    # row needs no entry in the index, and the old one goes without a VACUUM (./dev bench growth).
    "user_streams": {"fillfactor": "90", **_EARLY},
    "feed": _EARLY,
    "inbox": _EARLY,
    "idempotency_keys": _EARLY,
    # A queue: nearly all of it is dead at any time. It keeps its empty pages, since giving them back to the file system
    # takes a lock that stops every writer.
    "outbox": {
        "autovacuum_vacuum_scale_factor": "0",
        "autovacuum_vacuum_threshold": "10000",
        "autovacuum_vacuum_cost_delay": "0",
        "vacuum_truncate": "false",
    },
}


def _change(table: str, options: str) -> None:
    # Its lock conflicts with no reader and no writer. Citus refuses options of distributed tables that it does not know.
    op.execute(f"""
DO $$ BEGIN
    ALTER TABLE gateway.{table} {options};
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'the storage of gateway.{table} stays unchanged: %', SQLERRM;
END $$
""")


def _listed(values: Iterable[str]) -> str:
    return f"({', '.join(values)})"


def upgrade() -> None:
    for table, options in _OF_TABLE.items():
        _change(table, f"SET {_listed(f'{name} = {value}' for name, value in options.items())}")


def downgrade() -> None:
    for table, options in _OF_TABLE.items():
        _change(table, f"RESET {_listed(options)}")
