"""Databases for tests: empty, with the tables of packages, or shared by tests that roll back."""

import asyncio
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from gameshelf.devstack.servers import Citus, Postgres, citus

_TABLES = """
SELECT format('SELECT %L AS name, count(*) AS rows FROM %s', oid::regclass, oid::regclass) FROM pg_class
WHERE relkind = 'r' AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


def prepared_once() -> dict[str, Any]:
    """Returns options of ``asyncpg.connect`` by which a statement is prepared and planned once, as by the service.

    Otherwise it is planned five times before a plan is kept, and only 100 statements are kept: a test that makes small
    changes for minutes spends much of them in the planner. Citus refuses most statements that were planned for any
    values.
    """
    settings = {} if os.environ.get(citus.VARIABLE) else {"plan_cache_mode": "force_generic_plan"}
    return {"statement_cache_size": 1000, "max_cacheable_statement_size": 0, "server_settings": settings}


class Upgradable(Protocol):
    """The migrations of a package."""

    def upgrade(self, dsn: str) -> None: ...


class Databases:
    """Makes databases on a server. The tables of a package are made once, and copied from then on."""

    def __init__(
        self, postgres: Postgres, templates: Mapping[tuple[Upgradable, ...], str] = MappingProxyType({})
    ) -> None:
        """``templates`` are databases that the server has already, by the packages whose tables they have."""
        self._postgres = postgres
        self._templates = dict(templates)
        self._rolled_back: dict[tuple[Upgradable, ...], str] = {}

    def create(self, *packages: Upgradable) -> str:
        """Makes a database with the tables of packages, or an empty one; its DSN."""
        if packages and packages not in self._templates and isinstance(self._postgres, Citus):
            self._templates[packages] = self._postgres.prepared()
        elif packages and packages not in self._templates:
            self._templates[packages] = template = self._new()
            for package in packages:
                package.upgrade(self._postgres.dsn(template))
        return self._postgres.dsn(self._new(self._templates.get(packages)))

    def remove(self, dsn: str) -> None:
        """Removes a database that was made, and ends what still uses it."""
        self._postgres.drop_database(urlsplit(dsn).path[1:])

    def rolled_back(self, *packages: Upgradable) -> str:
        """The DSN of the one database whose tests roll back all that they do, and so see nothing of each other."""
        if packages not in self._rolled_back:
            self._rolled_back[packages] = self.create(*packages)
        return self._rolled_back[packages]

    def committed(self) -> dict[str, int]:
        """The rows that tests have committed where all roll back, by the name of the table."""
        found: dict[str, int] = {}
        for packages, dsn in self._rolled_back.items():
            before = asyncio.run(_rows(self.create(*packages)))
            after = asyncio.run(_rows(dsn))
            found |= {table: count - before[table] for table, count in after.items() if count != before[table]}
        return found

    def _new(self, template: str | None = None) -> str:
        name = f"t{uuid4().hex[:12]}"
        self._postgres.create_database(name, template)
        return name


async def _rows(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        counts = " UNION ALL ".join(row[0] for row in await connection.fetch(_TABLES))
        return {row["name"]: row["rows"] for row in await connection.fetch(counts)}
    finally:
        await connection.close()
