"""Options that several nouns have."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from gameshelf.libctl.errors import Usage

if TYPE_CHECKING:
    from gameshelf.libctl.postgres import PostgresDatabase


def database_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--dsn``; the command gets ``database``."""

    def understood(_: click.Context, __: click.Parameter, value: str | None) -> "PostgresDatabase":
        from gameshelf.libctl.postgres import PostgresDatabase  # asyncpg is for the commands that use it

        if not value:
            raise Usage("POSTGRES_DSN is not set", "POSTGRES_DSN=postgresql://user:password@host:5432/library")
        return PostgresDatabase(value)

    return click.option(
        "--dsn",
        "database",
        envvar="POSTGRES_DSN",
        metavar="DSN",
        callback=understood,
        help="DSN of the database. POSTGRES_DSN keeps its password out of the process list.",
    )(command)
