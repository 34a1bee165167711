"""The schemas of all packages: bringing them up to date, and refusing to start on an old one."""

from collections.abc import Iterable, Set
from functools import cache
from importlib.resources import files
from typing import Any

from alembic.script import ScriptDirectory
from gameshelf.kernel.migrations import Migrations


class SchemaOutdated(Exception):
    """A schema is not the one that this code was written for."""


def upgrade(dsn: str, migrations: Iterable[Migrations]) -> None:
    """Bring every package's schema up to date; safe to run twice, also at the same time."""
    for package in migrations:
        package.upgrade(dsn)


async def require_current(connection: Any, migrations: Iterable[Migrations]) -> None:
    """Raises SchemaOutdated, saying how to migrate, unless every schema has what this code needs.

    A revision that this code has never heard of is a newer one: schemas are migrated while old processes still serve.
    """
    for package in migrations:
        current, head = await package.current(connection), package.head()
        if current is None or (current != head and current in _known(package)):
            raise SchemaOutdated(
                f"schema {package.schema} is at revision {current or 'none'}, this version needs {head}: "
                "run `python -m gameshelf.gateway migrate` and start again"
            )


@cache
def _known(package: Migrations) -> Set[str]:
    scripts = ScriptDirectory(str(files(package.package) / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}
