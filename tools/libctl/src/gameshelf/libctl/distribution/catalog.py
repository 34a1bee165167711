"""Reads the tables of the packages from the database, and what Citus knows of them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl.distribution.plan import CurrentTable
from gameshelf.libctl.postgres import Connection

_HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
_TABLES = """
SELECT n.nspname || '.' || c.relname AS name,
    (SELECT json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
    (SELECT json_object_agg(x.relname, ARRAY(
            SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number ORDER BY k.place))
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisunique)::text AS "unique",
    (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisprimary) AS primary_key,
    ARRAY(SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers,
    ARRAY(SELECT rn.nspname || '.' || r.relname FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
        JOIN pg_namespace rn ON rn.oid = r.relnamespace WHERE f.conrelid = c.oid AND f.contype = 'f') AS "references"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind = 'r' AND c.relname <> 'alembic_version'
"""
_OF_CITUS = """
SELECT n.nspname || '.' || c.relname AS name, p.colocationid AS "group",
    CASE WHEN p.partmethod = 'h' THEN column_to_column_name(p.logicalrelid, p.partkey) END AS distributed_by,
    p.partmethod = 'n' AND p.repmodel = 't' AS is_everywhere,
    p.partmethod = 'n' AND p.repmodel = 's' AND p.colocationid <> 0 AS is_whole
FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[])
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY ($1::text[]) AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
    AND NOT EXISTS (SELECT FROM pg_dist_object o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid)
ORDER BY 1
"""
_MACHINES = "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards"


async def has_citus(connection: Connection) -> bool:
    """Returns whether the extension is in this database."""
    return bool(await connection.fetchval(_HAS_CITUS))


async def count_machines(connection: Connection) -> int:
    """Returns the number of machines that shards can be on."""
    return int(await connection.fetchval(_MACHINES))


async def read_tables(
    connection: Connection, packages: Iterable[Migrations], *, distributed: bool = True
) -> list[CurrentTable]:
    """Returns the tables of the packages' schemas, without those of Alembic.

    With ``distributed``, also where their rows are; the extension has to be there.
    """
    schemas = [package.schema for package in packages]
    rows = await connection.fetch(_OF_CITUS, schemas) if distributed else ()
    known: Mapping[str, Any] = {row["name"]: row for row in rows}
    return [_table(row, known.get(row["name"])) for row in await connection.fetch(_TABLES, schemas)]


async def functions(connection: Connection, packages: Iterable[Migrations]) -> list[str]:
    """Returns the packages' functions that only this machine has, each with the types of its arguments."""
    schemas = [package.schema for package in packages]
    return [row[0] for row in await connection.fetch(_FUNCTIONS, schemas)]


def _table(row: Any, known: Any) -> CurrentTable:
    unique: dict[str, list[str]] = json.loads(row["unique"] or "{}")
    return CurrentTable(
        name=row["name"],
        columns=json.loads(row["columns"]),
        primary_key=unique.get(row["primary_key"], ()),
        unique=unique,
        triggers=row["triggers"],
        references=row["references"],
        distributed_by=known and known["distributed_by"],
        is_everywhere=bool(known and known["is_everywhere"]),
        is_whole=bool(known and known["is_whole"]),
        group=known and known["group"],
    )
