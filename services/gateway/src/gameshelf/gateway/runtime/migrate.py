"""The schemas of all packages: bringing them up to date, and refusing to start on an old one."""

from collections.abc import Iterable
from typing import Any

from gameshelf.kernel.migrations import Migrations


class SchemaOutdated(Exception):
    """A schema is older than this code."""


def upgrade(dsn: str, migrations: Iterable[Migrations]) -> None:
    """Bring every package's schema up to date; safe to run twice, also at the same time."""
    for package in migrations:
        package.upgrade(dsn)


async def require_current(connection: Any, migrations: Iterable[Migrations]) -> None:
    """Raises SchemaOutdated, saying how to migrate, unless every schema has what this code needs. A newer one has."""
    for package in migrations:
        current = await package.current(connection)
        if package.is_behind(current):
            raise SchemaOutdated(
                f"schema {package.schema} is at revision {current or 'none'}, this version needs {package.head()}: "
                "run `python -m gameshelf.gateway migrate` and start again"
            )
