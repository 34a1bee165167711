"""The migrations of a package, in a schema of its own.

Each domain package has its Alembic scripts in ``migrations/`` and its version table inside its schema, so packages can
be upgraded in any order and dropped alone. Everything here is synchronous: commands call it, not servers.

Migrations run while instances serve. A change of a table waits at most a second for its lock, since all later
transactions, readers too, queue behind it. Then it is rolled back, the others continue, and it is retried a little
later. Each migration is a transaction of its own, so completed ones stay. Indexes of existing tables are created
concurrently, by ``gameshelf.kernel.schema_changes``.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Any

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import Connection as EngineConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

_log = logging.getLogger(__name__)

# The lock of the one migration that may run in a database. The number ("game" in ASCII) has to stay the same.
_LOCK = 0x67616D65
_LOCK_POLL_SECONDS = 0.2

LOCK_TIMEOUT_SECONDS = 1
"""The maximum time that a statement of a migration waits for a lock, while others queue behind it."""
PATIENCE_SECONDS = 600.0
"""The default time for which a migration that does not get its locks is retried."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_NOT_NOW = ("55P03", "40P01")
"""lock_not_available and deadlock_detected: the same statement may succeed later."""


class MigrationBlocked(Exception):
    """A migration did not get its locks in time. Migrations before it stay applied. The message is one line."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one package: ``package`` is its import name, ``schema`` the PostgreSQL schema that it owns."""

    package: str
    schema: str
    local_tables: frozenset[str] = frozenset()
    """The tables that stay in one place where others are distributed: no statement has one beside another table."""
    whole_tables: frozenset[str] = frozenset()
    """Nobody's tables that are whole on one of the machines where others are distributed, as many users' changes add
    rows to them: a deletion from a table that is copied to each machine waits for all changes that add to it.
    """
    second_steps: tuple[str, ...] = ()
    """Statements that end the support of the release before, which has keys and triggers by which no table can be
    distributed. Each may be repeated. A later migration runs them, or the distribution of the tables.
    """

    def head(self) -> str:
        """Returns the revision that this code needs."""
        return _history(self)[-1]

    def upgrade(self, dsn: str, revision: str = "head", patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Upgrades the schema to ``revision``; does nothing where it is there.

        ``dsn`` is a DSN of ``asyncpg.connect``, with any of its options (``postgresql://…?sslmode=require``). Raises
        MigrationBlocked where a lock was not available for ``patience_seconds``.
        """
        self._retry(lambda left: command.upgrade(self._config(dsn, left), revision), patience_seconds)

    def downgrade(self, dsn: str, revision: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Downgrades the schema to ``revision``; ``base`` drops all of its tables with their data.

        Raises MigrationBlocked as ``upgrade`` does.
        """
        self._retry(lambda left: command.downgrade(self._config(dsn, left), revision), patience_seconds)

    def _retry(self, attempt: Callable[[float], None], patience_seconds: float) -> None:
        """Repeats an attempt that did not get a lock, with growing pauses in which others continue."""
        deadline = time.monotonic() + patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return attempt(deadline - time.monotonic())
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _NOT_NOW:
                    raise
            if time.monotonic() + pause > deadline:
                raise MigrationBlocked(
                    f"schema {self.schema}: another transaction holds a table, and its lock was not available within "
                    f"{patience_seconds:g} s (a backup, or a long transaction: pg_stat_activity names it); "
                    "completed migrations stay, migrate again later"
                )
            _log.warning("schema %s: no lock within %d s, retrying", self.schema, LOCK_TIMEOUT_SECONDS)
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def check(self, dsn: str) -> None:
        """Compares the models with the migrated schema.

        Raises alembic.util.AutogenerateDiffsDetected when a migration is missing.
        """
        command.check(self._config(dsn))

    def script(self, revisions: str) -> str:
        """Returns the SQL of an upgrade, like ``0001:0002``, without running it: for tests and for reading."""
        config = self._config("")
        config.output_buffer = StringIO()
        command.upgrade(config, revisions, sql=True)
        return config.output_buffer.getvalue()

    def is_behind(self, revision: str | None) -> bool:
        """Returns whether a schema at ``revision`` lacks migrations that this code needs.

        An unknown revision is newer than this code: it comes from a version that is being rolled out or was rolled
        back. The version before works with the schema of each migration, so that is no problem.
        """
        return bool(self.missing(revision))

    def missing(self, revision: str | None) -> tuple[str, ...]:
        """Returns the revisions that a schema at ``revision`` lacks, oldest first; none for a newer revision."""
        history = _history(self)
        if revision is None:
            return history
        return history[history.index(revision) + 1 :] if revision in history else ()

    async def current(self, connection: "asyncpg.Connection[Any]") -> str | None:
        """Returns the revision of the schema, or None before the first migration."""
        table = f'"{self.schema}".alembic_version'
        # First a check that the table exists: an error would abort a transaction of the caller.
        if await connection.fetchval("SELECT to_regclass($1)", table) is None:
            return None
        revision: str | None = await connection.fetchval(f"SELECT version_num FROM {table}")  # noqa: S608
        return revision

    def _config(self, dsn: str, patience_seconds: float = PATIENCE_SECONDS) -> Config:
        config = Config(stdout=StringIO())  # without output: the caller reports
        location = str(files(self.package) / "migrations")
        config.set_main_option("script_location", location.replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["dsn"] = dsn
        config.attributes["schema"] = self.schema
        config.attributes["patience_seconds"] = patience_seconds
        return config


@cache
def _history(migrations: Migrations) -> tuple[str, ...]:
    """Returns every revision that this code knows, the head last."""
    scripts = ScriptDirectory.from_config(migrations._config("")).walk_revisions()
    history = tuple(script.revision for script in scripts)[::-1]
    if not history:
        raise LookupError(f"{migrations.package} has no migrations")
    return history


def run(metadata: MetaData) -> None:
    """Runs the current Alembic command on ``metadata``. A package's ``migrations/env.py`` only calls this."""
    attributes = context.config.attributes
    if context.is_offline_mode():
        _configure_and_run(None, metadata, attributes["schema"])
        return
    asyncio.run(_run(metadata, attributes["dsn"], attributes["schema"], attributes["patience_seconds"]))


async def _run(metadata: MetaData, dsn: str, schema: str, patience_seconds: float) -> None:
    engine = _engine(dsn)
    try:
        async with _alone(engine, schema, patience_seconds):
            async with engine.begin() as connection:
                await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            async with engine.connect() as connection:
                await connection.run_sync(_configure_and_run, metadata, schema)
    finally:
        await engine.dispose()


def _engine(dsn: str) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        # asyncpg parses the DSN: SQLAlchemy's own parser supports neither sslmode nor several hosts.
        async_creator=lambda: asyncpg.connect(dsn),
    )

    # A role with the name of the schema would make that schema the default, and autogenerate would ignore it.
    @event.listens_for(engine.sync_engine, "engine_connect")
    def connected(connection: EngineConnection) -> None:
        connection.dialect.default_schema_name = "public"

    # Per transaction, not per session: behind a pooler the next transaction may run on another session, and a pooler
    # refuses start-up parameters. In autocommit mode (concurrent creation of indexes) it has no effect.
    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: EngineConnection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("SET LOCAL search_path = public")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")

    return engine


@asynccontextmanager
async def _alone(engine: AsyncEngine, schema: str, patience_seconds: float) -> AsyncIterator[None]:
    """Within the block no other migration runs in this database. Raises MigrationBlocked.

    The lock belongs to a transaction on a connection of its own: a lock of a session would not survive a pooler. It is
    polled: a statement that waits for it would hold a snapshot, the concurrent creation of an index waits for the end
    of all snapshots, and so both would wait for ever.
    """
    deadline = time.monotonic() + patience_seconds
    async with engine.connect() as keeper:
        while not await keeper.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
            await keeper.rollback()  # releases the snapshot of the SELECT
            if time.monotonic() > deadline:
                raise MigrationBlocked(f"schema {schema}: another migration of this database is still running")
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        # This also releases the snapshot of the SELECT, which would last as long as the portal of the protocol.
        await keeper.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield
        await keeper.rollback()


def _configure_and_run(connection: EngineConnection | None, metadata: MetaData, schema: str) -> None:
    context.configure(
        connection=connection,
        dialect_name="postgresql",
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == schema,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
