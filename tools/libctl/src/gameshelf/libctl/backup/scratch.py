"""Databases that libctl makes for itself, beside the one that ``POSTGRES_DSN`` names, and what killed runs left.

Each carries a note (its comment) about what it is for and how far it is. While a run works on one, it holds an advisory
lock of its name in the maintenance database; a database of this kind that nobody holds is a left-over.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from secrets import token_hex

from gameshelf.libctl.backup.manifest import Locale
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.errors import Refused
from gameshelf.libctl.postgres import MAINTENANCE, Connection, PostgresDatabase, quoted

_NAME = re.compile(r"libctl_(verify|restore|drill)_[0-9a-f]{10}")
_LISTED = """
SELECT datname AS name, shobj_description(oid, 'pg_database') AS note FROM pg_database
WHERE datname LIKE 'libctl\\_%' ORDER BY 1
"""
_ENCODINGS = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Note:
    """The note on a database of a restore: the name it will get, the manifest's digest, and its state."""

    target: str
    digest: str
    state: str = "loading"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database of ours."""

    name: str
    kind: str
    note: Note | None


async def ours(keeper: Connection, kind: str) -> list[Scratch]:
    """All of a kind, also those that a running process works on."""
    found = []
    for row in await keeper.fetch(_LISTED):
        match = _NAME.fullmatch(row["name"])
        if match and match[1] == kind:
            found.append(Scratch(row["name"], kind, _read(row["note"])))
    return found


async def left_over(keeper: Connection, kind: str) -> list[Scratch]:
    """Those of a kind that no running process holds."""
    found = []
    for old in await ours(keeper, kind):
        if await hold(keeper, old.name):
            await keeper.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", old.name)
            found.append(old)
    return found


async def hold(keeper: Connection, name: str) -> bool:
    """Claims a database for this run until ``keeper`` is closed. Returns whether that succeeded."""
    held: bool = await keeper.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name)
    return held


def new_name(kind: str) -> str:
    return f"libctl_{kind}_{token_hex(5)}"


async def make(keeper: Connection, name: str, note: Note, locale: Locale) -> None:
    """A new, empty one, held by this run."""
    await hold(keeper, name)
    await keeper.execute(f"CREATE DATABASE {quoted(name)} TEMPLATE template0 {_like(locale)}")
    await write(keeper, name, note)


async def write(connection: Connection, name: str, note: Note | None) -> None:
    """Leaves a note on a database, in the connection's transaction where there is one; None takes it away."""
    text = "NULL" if note is None else "'" + json.dumps(asdict(note)).replace("'", "''") + "'"
    await connection.execute(f"COMMENT ON DATABASE {quoted(name)} IS {text}")


def at(note: Note, state: str) -> Note:
    return replace(note, state=state)


async def drop(database: PostgresDatabase, name: str, steps: Steps) -> None:
    """Drops a database and ends its sessions. It opens a connection, because the caller's may have just been closed."""
    try:
        async with database.connect(MAINTENANCE) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
    except Refused as refused:
        steps.say(f"the database {name} stays behind ({refused.message}); the next run drops it")


@asynccontextmanager
async def scratch(database: PostgresDatabase, locale: Locale, digest: str, steps: Steps) -> AsyncIterator[str]:
    """A database for a look, dropped in any case; first drops what killed runs have left."""
    async with database.connect(MAINTENANCE) as keeper:
        for old in await left_over(keeper, "verify"):
            steps.say(f"dropping {old.name}, which a killed run left behind")
            await drop(database, old.name, steps)
        name = new_name("verify")
        try:
            await make(keeper, name, Note(database.name, digest), locale)
            yield name
        finally:
            await drop(database, name, steps)


def _like(locale: Locale) -> str:
    """The same encoding and order as that of the original."""
    if not _ENCODINGS.fullmatch(locale.encoding):
        raise Refused(f"the backup has an invalid encoding: {locale.encoding}", "use another backup")
    parts = [
        f"ENCODING {_literal(locale.encoding)} LC_COLLATE {_literal(locale.collate)} LC_CTYPE {_literal(locale.ctype)}"
    ]
    if locale.provider == "i":
        parts.append(f"LOCALE_PROVIDER icu ICU_LOCALE {_literal(locale.locale or 'und')}")
    elif locale.provider == "b":
        parts.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {_literal(locale.locale or 'C')}")
    return " ".join(parts)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _read(note: str | None) -> Note | None:
    try:
        return Note(**json.loads(note or ""))
    except (ValueError, TypeError):
        return None
