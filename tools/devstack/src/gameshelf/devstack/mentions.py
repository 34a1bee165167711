"""Where a database names a user."""

from uuid import UUID

import asyncpg


async def tables_naming(connection: asyncpg.Connection, user_id: UUID) -> set[str]:
    """The tables that say the user's id anywhere in a row, also inside of bytes, in any case, also without hyphens."""
    names = await connection.fetch(
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    written = [str(user_id), user_id.hex]
    forms = [f"%{form}%" for text in written for form in (text, text.encode().hex(), text.upper().encode().hex())]
    query = "SELECT count(*) FROM {} AS t WHERE t::text ILIKE ANY ($1::text[])"
    counts = {row["name"]: await connection.fetchval(query.format(row["name"]), forms) for row in names}
    return {name for name, count in counts.items() if count}
