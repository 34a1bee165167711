"""Finds the tables of a database that name a user."""

from uuid import UUID

import asyncpg


async def tables_naming(connection: asyncpg.Connection, user_id: UUID) -> set[str]:
    """Returns the tables that contain the user's id in a row, also in bytes, in any case, or without hyphens."""
    names = await connection.fetch(
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    written = [str(user_id), user_id.hex]
    forms = [f"%{form}%" for text in written for form in (text, text.encode().hex(), text.upper().encode().hex())]
    query = "SELECT count(*) FROM {} AS t WHERE t::text ILIKE ANY ($1::text[])"
    counts = {row["name"]: await connection.fetchval(query.format(row["name"]), forms) for row in names}
    return {name for name, count in counts.items() if count}
