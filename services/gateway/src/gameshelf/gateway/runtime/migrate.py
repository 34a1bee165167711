"""Migrates the schemas of all packages, and checks at the start that they are current."""

from collections.abc import Iterable
from typing import Any

from gameshelf.kernel.migrations import Migrations


class SchemaOutdated(Exception):
    """A schema is older than this code."""


class MigrationRefused(Exception):
    """Alembic can't migrate a schema; the message is one line."""


def upgrade(dsn: str, migrations: Iterable[Migrations]) -> None:
    """Brings every package's schema up to date. It may be repeated, and run concurrently. Raises MigrationRefused."""
    # Imported here because a service that serves does not migrate.
    from alembic.util import CommandError

    try:
        for package in migrations:
            package.upgrade(dsn)
    except CommandError as error:
        raise MigrationRefused(str(error)) from error


async def require_current(connection: Any, migrations: Iterable[Migrations]) -> None:
    """Raises SchemaOutdated, with instructions, unless every schema is at least as new as this code needs."""
    for package in migrations:
        current = await package.current(connection)
        if package.is_behind(current):
            raise SchemaOutdated(
                f"schema {package.schema} is at revision {current or 'none'}, this version needs {package.head()}: "
                "run `python -m gameshelf.gateway migrate` and start again"
            )
