"""The mark of a restored database, by which the service knows what it must not delete yet and from where to consume."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from gameshelf.libctl.errors import Refused
from gameshelf.libctl.postgres import Connection, quoted

_GATEWAY = "gateway"
_MARKERS = """
SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = 'mark_restored' AND n.nspname = ANY ($1::text[]) ORDER BY 1
"""


async def restored(
    connection: Connection, schemas: Iterable[str], point: datetime, backup: str, actor: str, reason: str
) -> UUID:
    """Marks the database as restored to ``point``, in the caller's transaction; the id of this restore.

    A package that has to change something after a restore has a function ``mark_restored()`` in its schema. The
    gateway's own comes last: it makes jobs that delete wait, and consumers go back. Raises Refused when it is missing:
    the service would take the database for an ordinary one.
    """
    there = [row["nspname"] for row in await connection.fetch(_MARKERS, list(schemas))]
    if _GATEWAY not in there:
        raise Refused(
            "the gateway's schema has no function mark_restored(), so the service would delete what it doesn't know",
            "the libctl and the packages of one version",
        )
    for schema in there:
        if schema != _GATEWAY:
            await connection.execute(f"SELECT {quoted(schema)}.mark_restored()")
    made: UUID = await connection.fetchval(
        "SELECT gateway.mark_restored($1::timestamptz, $2::text, $3::text, $4::text)", point, backup, actor, reason
    )
    return made
