"""What runs in another way where tables are distributed by user: on Citus, as ``database.connect`` finds it.

Citus refuses a statement that jumps through an index of all users or locks rows of several shards. There such a
statement is several ones, which each shard can answer by itself; on one PostgreSQL it stays one.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from asyncpg import PostgresError, Record
from gameshelf.kernel.database import Connection

PAGE = 200
"""How many rows ``first_of_each`` expects of a page."""

_Key = TypeVar("_Key")

# These call functions of Citus, so that no other server could prepare them.
_BY_SHARD = """
SELECT array_agg(id) AS user_ids FROM unnest($1::uuid[]) AS id
GROUP BY get_shard_id_for_distribution_column('gateway.user_streams', id)
"""
_ROWS = """
SELECT coalesce(sum(greatest(result::float8, 0)), 0)::bigint FROM run_command_on_shards(
    $1::text::regclass, $$ SELECT reltuples FROM pg_catalog.pg_class WHERE oid = '%s'::regclass $$)
"""


def is_distributed(connection: Connection) -> bool:
    """Returns whether the tables of the connection's database may be distributed."""
    return getattr(connection, "is_distributed", False)


def violated_constraint(error: PostgresError) -> str | None:
    """Returns the name of the constraint that a change violates. An error of a shard has it in the message alone, with
    the number of the shard behind it.
    """
    named: str | None = error.constraint_name
    found = None if named else re.search(r'constraint "(\w+?)(?:_\d+)?"', str(error))
    return found[1] if found else named


async def first_of_each(
    read: Callable[[_Key], Awaitable[Sequence[Record]]], key: Callable[[Record], _Key], after: _Key, limit: int
) -> list[Record]:
    """Returns the first row of each of the next keys, at most ``limit``.

    ``read`` returns at most ``PAGE`` rows behind a key, in the order of the keys; so a key with many rows costs a page.
    """
    found: list[Record] = []
    while len(found) < limit:
        page = await read(after)
        for row in page:
            if key(row) != after:
                found.append(row)
                after = key(row)
        if len(page) < PAGE:
            break
    return found[:limit]


async def by_shard(connection: Connection, user_ids: Collection[UUID]) -> list[list[UUID]]:
    """Returns users in groups whose rows one statement may lock: those of a shard, or all of them without a round trip
    where nothing is distributed.
    """
    if not user_ids:
        return []
    if not is_distributed(connection):
        return [list(user_ids)]
    return [row["user_ids"] for row in await connection.fetch(_BY_SHARD, list(user_ids))]


async def estimated_rows(connection: Any, table: str) -> int:
    """Returns how many rows a distributed table has, as the last ANALYZE or VACUUM of its shards has seen it."""
    count: int = await connection.fetchval(_ROWS, table)
    return count
