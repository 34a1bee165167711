"""The second step of migration 0013, which the release after the one that has it makes, by a migration of its own.

Until then the release before may run beside this one. It finds records of the outbox by their id, names the id in ON
CONFLICT of dead letters, knows the index of undone entries by its name, and inserts NULL for nobody. Once it is gone,
the keys of outbox and dead letters become those of the tables' models, and the other index and the triggers have no
use. ``docs/releasing.md`` says what else that release changes. Tables are distributed by users only after this step.
"""

from typing import Any

import asyncpg

_SWAP = """
DO $$ BEGIN
    IF to_regclass('gateway.uq_{table}_user') IS NOT NULL THEN
        ALTER TABLE gateway.{table} DROP CONSTRAINT pk_{table},
            ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_user;
    END IF;
END $$
"""
STATEMENTS = (
    *(_SWAP.format(table=table) for table in ("outbox", "dead_letters")),
    "DROP INDEX IF EXISTS gateway.uq_audit_undo_of",
    *(
        f"DROP TRIGGER IF EXISTS nobody ON gateway.{table}"
        for table in ("outbox", "refused_records", "dead_letters", "audit")
    ),
    "DROP FUNCTION IF EXISTS gateway.nobodys_user_id(), gateway.nobodys_user_hash()",
)
"""Each reads no rows, may be repeated, and takes a short lock, so each is a transaction of its own."""
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"


async def drop_old_keys(connection: "asyncpg.Connection[Any]") -> None:
    """Makes the second step; does nothing where it is made. Raises LockNotAvailableError where another transaction
    holds a table: what is done stays, and the rest is done by the next call.
    """
    for statement in STATEMENTS:
        async with connection.transaction():
            await connection.execute(_LOCK_TIMEOUT)
            await connection.execute(statement)
