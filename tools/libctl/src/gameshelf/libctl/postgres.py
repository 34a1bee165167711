"""The database that ``POSTGRES_DSN`` names: connecting to it, and showing it without its password."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import asyncpg
from gameshelf.libctl.errors import NothingFound, Precondition, Refused, Unavailable, Usage

Connection: TypeAlias = "asyncpg.Connection[Any]"

MAINTENANCE = "postgres"
"""From where databases are made, renamed and dropped."""
_CONNECT_SECONDS = 10
_SESSION = {
    "application_name": "libctl",
    "search_path": "pg_catalog",
    # A coordinator of Citus may be set to show the parts of tables, which are no tables of ours. Without Citus it is a
    # name that means nothing.
    "citus.override_table_visibility": "on",
}
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


class PostgresDatabase:
    """A PostgreSQL database by its DSN (``postgresql://user:password@host:port/name?sslmode=…``).

    Raises Usage for a DSN that can't be understood; the message never quotes it.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self._url = urlsplit(dsn)
            self._query = dict(parse_qsl(self._url.query, keep_blank_values=True))
            path = unquote(self._url.path.removeprefix("/"))
        except ValueError:
            raise _not_understood() from None
        if self._url.scheme not in ("postgresql", "postgres"):
            raise _not_understood()
        self._account, _, self._hosts = self._url.netloc.rpartition("@")
        user, _, password = self._account.partition(":")
        self._user = user
        self.user = unquote(user) or self._query.get("user", "")
        """The role, as far as the DSN names one."""
        self._password = unquote(password) or self._query.get("password", "")
        self._secrets = sorted({password, self._password, quote(self._password)} - {""}, key=len, reverse=True)
        self.name = path or self._query.get("dbname") or self._query.get("database") or unquote(user)
        """The name of the database."""
        if not self.name:
            raise Usage("POSTGRES_DSN names no database", "end it with the database's name: postgresql://…/library")

    def __str__(self) -> str:
        """As it may be shown: without password and options."""
        account = f"{self._user}@" if self._user else ""
        return f"postgresql://{account}{self._hosts or self._query.get('host', '')}/{self.name}"

    def dsn(self, name: str | None = None) -> str:
        """The DSN of a database of this server, this one or ``name``, with the password."""
        return self._written(name or self.name, self._url.netloc, ("dbname", "database"))

    def for_tools(self, name: str) -> tuple[str, dict[str, str]]:
        """The value of ``pg_dump --dbname``, and the environment with the password: all users see a command line."""
        netloc = f"{self._user}@{self._hosts}" if self._user else self._hosts
        environment = {**os.environ, "LC_ALL": "C", "PGCONNECT_TIMEOUT": str(_CONNECT_SECONDS), "PGAPPNAME": "libctl"}
        if self._password:
            environment["PGPASSWORD"] = self._password
        environment.pop("POSTGRES_DSN", None)
        return self._written(name, netloc, ("dbname", "database", "password")), environment

    def redacted(self, text: str) -> str:
        """``text`` without the password, should it hold it."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    @asynccontextmanager
    async def connect(self, name: str | None = None, **settings: str) -> AsyncIterator[Connection]:
        """A connection for the length of a block, to this database or to ``name`` on the same server.

        Raises NothingFound (no such database), Refused (not let in) and Unavailable; what the server refuses within the
        block becomes a Refused, too.
        """
        with self.explained_errors(connecting=True):
            connection = await asyncpg.connect(
                self.dsn(name),
                timeout=_CONNECT_SECONDS,
                statement_cache_size=0,
                server_settings={**_SESSION, **settings},
            )
        with self.explained_errors():
            try:
                yield connection
            finally:
                await _close(connection)

    @contextmanager
    def explained_errors(self, *, connecting: bool = False) -> Iterator[None]:
        """Around work on the database: turns its errors into refusals that state what to try.

        With ``connecting``, also what the system says to an attempt to connect; elsewhere that may be about a file.
        """
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
            raise self._refused(error) from None
        except OSError as error:
            if not connecting:
                raise
            raise self._refused(error) from None
        except ValueError:
            if not connecting:
                raise
            raise _not_understood() from None

    def _refused(self, error: Exception) -> Refused:
        message = self.redacted(str(error)) or type(error).__name__
        match error:
            case asyncpg.InvalidCatalogNameError():
                return NothingFound(message, "look at the database's name in POSTGRES_DSN; `createdb` makes one")
            case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
                return Refused(message, "look at user and password in POSTGRES_DSN")
            case asyncpg.InsufficientPrivilegeError():
                return Refused(message, "a role that owns the schemas and, for backups, may make databases")
            case asyncpg.ObjectInUseError():
                return Precondition(message, "stop the service and every other client that is connected, then repeat")
            case asyncpg.TooManyConnectionsError():
                return Unavailable(message, "wait a moment, then repeat")
            case ssl.SSLError():  # one that can't be verified is a ValueError, too
                return Refused(f"TLS with {self} fails: {message}", "look at sslmode and sslrootcert in POSTGRES_DSN")
            case ValueError():
                return _not_understood()
            case asyncpg.PostgresError() if not isinstance(error, _AWAY):
                return Refused(message, "libctl db status")
        return Unavailable(f"{self} can't be reached: {message}", "is PostgreSQL running there? Then repeat")

    def _written(self, name: str, netloc: str, without: tuple[str, ...]) -> str:
        query = urlencode({key: value for key, value in self._query.items() if key not in without}, quote_via=quote)
        return f"postgresql://{netloc}/{quote(name, safe='')}" + (f"?{query}" if query else "")


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


async def _close(connection: Connection) -> None:
    """Orderly where the server answers; what ran on it is cancelled either way."""
    try:
        await asyncio.shield(connection.close(timeout=5))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
    except asyncio.CancelledError:
        connection.terminate()
        raise


def _not_understood() -> Usage:
    return Usage("POSTGRES_DSN can't be understood", "postgresql://user:password@host:5432/library, percent-encoded")
