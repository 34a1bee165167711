"""Rows for any table, from what the database knows of its columns: enough for nearly each statement to find some.

Users, products and ids are numbered. The n-th row of a user has the n-th id wherever an id stands, so that rows of
several tables fit together. Users come in circles (0 to 15, 16 to 31): all users of a row are in one circle. The
first of a circle has the times that are nearest to each edge of a window: rows of a stranger that lie nearer change
what a statement finds that takes anybody's for the user's. Columns that may be null are null in a third of the rows,
each in others; words come from the column's CHECK.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5, sha256
from uuid import UUID

import asyncpg
from gameshelf.kernel.distribution import USER_COLUMNS

PARTNERS = (*USER_COLUMNS, "shared_with_user_id", "holder_user_id", "copy_owner_user_id", "shared_from_user_id")
TEXTS = 16
"""The number of different texts, besides those that CHECKs allow."""
CIRCLE = 16
"""The number of users that occur in each other's rows."""
BEHIND = ("end", "last", "resolved")
"""Names of times that lie behind the others of their row begin with these."""
AHEAD = ("expires", "prune", "delete_after", "lost")
"""And with these the names of times of which some lie ahead."""
EDGES = (-400, -14, 0, 1)
"""The edges of windows, in days from now: before all rows, among them, now, and after them."""

_COLUMNS = """
SELECT a.attname AS name, t.typname AS kind, a.attnotnull AS required,
       CASE WHEN t.typname = 'varchar' AND a.atttypmod > 0 THEN a.atttypmod - 4 END AS length
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
  AND NOT EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum
                  AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%')
ORDER BY a.attnum
"""
_CHECKS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'"
_BARS = """
SELECT conrelid::regclass::text AS of, conname AS name
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE contype IN ('c', 'f') AND nspname = ANY($1)
"""


def user(number: int) -> UUID:
    """The user of a number."""
    return _uuid("user", number)


def user_hash(number: int) -> bytes:
    """The hash of the user of a number, for keys that begin with one."""
    return sha256(f"user{number}".encode()).digest()


def product(number: int) -> UUID:
    """The product of a number."""
    return _uuid("product", number)


def row_id(number: int) -> UUID:
    """The id that the row of a number has, in whatever table."""
    return _uuid("id", number)


def _uuid(of: str, number: int) -> UUID:
    return UUID(bytes=md5(f"{of}{number}".encode(), usedforsecurity=False).digest())


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    required: bool
    length: int | None
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a database, each with its columns; rows of them are made by number."""

    columns: Mapping[str, Sequence[_Column]]
    keys: Mapping[str, str | None]

    @classmethod
    async def read(cls, connection: asyncpg.Connection, keys: Mapping[str, str | None]) -> "Tables":
        """Reads them, and drops what would bar rows that don't make sense: checks and references."""
        columns: dict[str, list[asyncpg.Record]] = {}
        words: dict[tuple[str, str], list[str]] = {}
        for table in sorted(keys):
            checks = " ".join(row[0] for row in await connection.fetch(_CHECKS, table))
            columns[table] = await connection.fetch(_COLUMNS, table)
            schema = table.partition(".")[0]
            words |= {(schema, row["name"]): found for row in columns[table] if (found := _words(row["name"], checks))}
        # The mirror of a table has its words without the CHECK.
        made = {
            table: [_Column(**row, words=words.get((table.partition(".")[0], row["name"]), ())) for row in found]
            for table, found in columns.items()
        }
        for bar in await connection.fetch(_BARS, sorted({table.partition(".")[0] for table in keys})):
            await connection.execute(f'ALTER TABLE {bar["of"]} DROP CONSTRAINT IF EXISTS "{bar["name"]}" CASCADE')
        return cls(made, keys)

    @property
    def words(self) -> list[str]:
        """Every word that a CHECK allows somewhere."""
        found = {word for columns in self.columns.values() for column in columns for word in column.words}
        return sorted(found)

    async def fill_of_users(
        self, connection: asyncpg.Connection, users: range, rows: int, products: int, *, at_edges: bool = False
    ) -> None:
        """Rows 1 to ``rows`` of each of these users, of so many products, in every table of users.

        With ``at_edges`` each begins or ends within a minute before one of the ``EDGES``, at it, or behind it.
        """
        for table, key in self.keys.items():
            if key is not None:
                series = f"generate_series({users.start}, {users.stop - 1}) u, generate_series(1, {rows}) n"
                await self._insert(connection, table, series, products, at_edges)

    async def fill_a_row_each(self, connection: asyncpg.Connection, users: range) -> None:
        """One row of each of these users in every table of users: row n of user n, so that no two have an id alike."""
        for table, key in self.keys.items():
            if key is not None:
                series = f"(SELECT n, n FROM generate_series({users.start}, {users.stop - 1}) n) each_one(u, n)"
                await self._insert(connection, table, series, users.stop)

    async def fill_of_nobody(self, connection: asyncpg.Connection, rows: int, products: int) -> None:
        """Rows 0 to ``rows`` of every table that is nobody's."""
        for table, key in self.keys.items():
            if key is None:
                await self._insert(connection, table, f"(SELECT 0) u(u), generate_series(0, {rows}) n", products)

    async def _insert(
        self, connection: asyncpg.Connection, table: str, series: str, products: int, at_edges: bool = False
    ) -> None:
        key = self.keys[table]
        columns = self.columns[table]
        names = ", ".join(f'"{column.name}"' for column in columns)
        values = ", ".join(_value(column, key, products, at_edges) for column in columns)
        await connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {series} ON CONFLICT DO NOTHING")


def _words(column: str, checks: str) -> list[str]:
    """The words that CHECKs name for a column."""
    found = re.search(rf"\b{column}\)?(?:::text)? = ANY \(+ARRAY\[(.*?)\]", checks)
    return re.findall(r"'(\w+)'::", found[1]) if found else []


def _value(column: _Column, key: str | None, products: int, at_edges: bool) -> str:
    """The SQL of a column's value in row ``n`` of user ``u``."""
    value = _full(column, key, products, at_edges)
    return value if column.required else f"CASE WHEN {_chance(column)} % 3 > 0 THEN {value} END"


def _chance(column: _Column) -> str:
    """A number that is always the same in a row and column, and depends on no other column's."""
    return f"(hashint8(n * 7919 + u % 1000 * 31 + {zlib.crc32(column.name.encode()) % 7907}) & 1023)"


def _moment(column: _Column) -> str:
    """A stretch of 29 of each 30 hours. Of others than the first of a circle it lies farther from the edges."""
    later = 29 if column.name.startswith(BEHIND) else 0
    away = "CASE WHEN n < 6 OR n BETWEEN 12 AND 24 THEN 1 ELSE -1 END"
    ago = f"((n * 30 - 12 - {later}) * 60 + u * 37 % 1740 * {away})"
    if column.name.startswith(AHEAD):
        ago = f"{ago} * (1 - 2 * ({_chance(column)} % 2))"
    return f"date_trunc('second', now()) - {ago} * interval '1 minute'"


def _moment_at_edge(column: _Column) -> str:
    """An edge, or a minute before or behind it; what lies behind other times of the row may be two minutes later."""
    minutes = f"(u / {len(EDGES)} % 3 - 1)"
    if column.name.startswith(BEHIND):
        minutes = f"({minutes} + {_chance(column)} % 3)"
    edge = f"(ARRAY[{', '.join(map(str, EDGES))}])[1 + u % {len(EDGES)}]"
    return f"date_trunc('second', now()) + {edge} * interval '24 hours' + {minutes} * interval '1 minute'"


def _full(column: _Column, key: str | None, products: int, at_edges: bool) -> str:
    name, kind = column.name, column.kind
    of_product = f"md5('product' || n % {products})::uuid"
    if kind == "uuid":
        if name == key:
            return "md5('user' || u)::uuid"
        if name in PARTNERS:
            return f"md5('user' || (u # (1 + n % {CIRCLE - 1})))::uuid"
        return of_product if name == "product_id" else "md5('id' || n)::uuid"
    if kind in ("timestamptz", "_timestamptz"):
        moment = _moment_at_edge(column) if at_edges else _moment(column)
        return f"ARRAY[{moment}]" if kind[0] == "_" else moment
    if kind == "varchar" or kind == "text":
        if column.words:
            return f"(ARRAY{list(column.words)})[1 + {_chance(column)} % {len(column.words)}]"
        return f"left('text' || n % {TEXTS}, {column.length or 100})"
    numbers = {"int2": "1 + n % 3", "int4": "1 + n % 3", "int8": "1 + n % 3", "float8": "1 + n % 3", "numeric": "n"}
    others = {
        "bool": "true" if name == "singleton" else f"{_chance(column)} % 2 = 0",
        "date": f"current_date + {_chance(column)} % 3 - 1" if at_edges else "current_date - n",
        "bytea": f"sha256(('user' || {'u' if name == key else 'n'})::bytea)"
        if name == "user_hash"
        else "sha256(n::text::bytea)",
        "jsonb": "'{\"a\": 1}'::jsonb",
        "json": "'{\"a\": 1}'::json",
        "_uuid": f"ARRAY[{of_product}, md5('product' || (n + 1) % {products})::uuid]",
        "_text": f"ARRAY['text' || n % {TEXTS}]",
        "_varchar": f"ARRAY['text' || n % {TEXTS}]",
        "interval": "n * interval '1 second'",
    }
    return (numbers | others)[kind]
