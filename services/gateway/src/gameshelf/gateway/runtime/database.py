"""The connections to PostgreSQL."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Any

import asyncpg
from asyncpg.transaction import Transaction
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.timestamps import read_any_time
from gameshelf.gateway.runtime.unit_of_work.units import NeedsLock
from gameshelf.kernel.errors import DomainError

_log = logging.getLogger(__name__)

Acquire = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends a connection for the length of a block. Raises TimeoutError if none becomes free in time."""

ACQUIRE_SECONDS = 5.0
CLOSE_SECONDS = 5.0
_POOLER_SECONDS = 3.0
_LOSES_STATEMENTS = (
    "POSTGRES_DSN: the pooler loses prepared statements; transaction mode needs PgBouncer 1.21 or later, with "
    "max_prepared_statements above 0"
)
# Longer than any statement of the service takes; a concurrent request waits this long for the lock of a user's row.
LOCK_TIMEOUT_MILLISECONDS = 5_000
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
BACKGROUND_LOCK_MILLISECONDS = 250


_LOCK_TIMEOUT = timedelta(milliseconds=LOCK_TIMEOUT_MILLISECONDS)
_NAME = {"application_name": "gameshelf-gateway"}
_TIMEOUTS = {
    "lock_timeout": str(LOCK_TIMEOUT_MILLISECONDS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MILLISECONDS),
    "idle_in_transaction_session_timeout": "60000",
}
_SESSION = {
    **_TIMEOUTS,
    "jit": "off",  # compiling takes longer than these small statements run
    "enable_memoize": "off",  # each row looks up another product, so a cache of lookups is never hit
}
# Planning takes longer, too: each statement finds its rows by key, whatever the values are. Citus finds the shard by
# the values, and refuses most statements that were planned for any values.
_GENERIC_PLANS = {"plan_cache_mode": "force_generic_plan"}
_OF_DISTRIBUTED = {
    # Row locks are on the machines of the shards, which else would not know how long a transaction waits for one.
    "citus.propagate_set_commands": "local",
    # To hide shards, Citus looks up each row of pg_class that a query reads. asyncpg's query for a type of arrays, once
    # for each connection and type, takes 9 seconds by that instead of 0.1.
    "citus.override_table_visibility": "off",
}
_IS_DISTRIBUTED = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')"
_BOUNDS = "; ".join(f"SET LOCAL {name} = {value}" for name, value in _TIMEOUTS.items())


async def limit_lock_wait(connection: Any, milliseconds: int) -> None:
    """Limits how long the rest of the transaction waits for each lock. One round trip."""
    await connection.execute(f"SET LOCAL lock_timeout = {int(milliseconds)}")


async def hardly_wait(connection: Any) -> None:
    """Limits lock waits in the rest of the transaction to a moment, for background work."""
    await limit_lock_wait(connection, BACKGROUND_LOCK_MILLISECONDS)


class DatabaseUnusable(Exception):
    """The first connection failed; the message is one line that names the variable."""


@contextmanager
def first_connection() -> Iterator[None]:
    """Wraps the first connection of a process. Raises DatabaseUnusable if it can't be made."""
    try:
        yield
    except ssl.SSLError as error:  # first: a certificate that can't be verified is a ValueError, too
        reason = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        raise DatabaseUnusable(f"POSTGRES_DSN: the database's TLS certificate or connection fails: {reason}") from None
    except (ValueError, OverflowError):
        # The original message may quote a part of the password that looks like a port.
        raise DatabaseUnusable("POSTGRES_DSN: it can't be parsed") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise DatabaseUnusable(f"POSTGRES_DSN: the database can't be used: {reason}") from None


class NoFreeConnection(TimeoutError):
    """No connection became free, or could be opened, in ``ACQUIRE_SECONDS``."""


class _Connection(asyncpg.Connection):
    bounds = ""
    """Statements that set the time-outs of a transaction, if the session doesn't have them."""
    is_distributed = False
    """Whether the database has the extension Citus, see ``runtime/distributed.py``."""

    def get_reset_query(self) -> str:
        # The service changes no session state, and asyncpg's default reset would be one more round trip per request.
        return ""


class _BoundedTransaction(Transaction):
    def __init__(self, connection: Any, *options: Any) -> None:
        super().__init__(connection, *options)
        self._of = connection

    async def start(self) -> None:
        is_outermost = not self._of.is_in_transaction()
        await super().start()
        if is_outermost:
            await self._of.execute(_BOUNDS)


@asynccontextmanager
async def transaction_with(connection: Any, query: str) -> AsyncIterator[None]:
    """Opens a transaction that begins with these statements, without parameters. One round trip for both, and one for
    the commit.
    """
    try:
        await connection.execute(f"BEGIN; {getattr(connection, 'bounds', '')}{query}")
        yield
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


class _PooledConnection(_Connection):
    """A connection through a pooler: it sets its parameters for each transaction, which costs one round trip.

    Behind a pooler the next transaction may use another session, and a pooler refuses or drops parameters at the start
    of a session. A statement outside of a transaction is bounded only by this process (``command_timeout``).
    """

    bounds = f"{_BOUNDS}; "

    def transaction(self, **options: Any) -> Transaction:
        isolation, readonly = options.get("isolation"), options.get("readonly", False)
        return _BoundedTransaction(self, isolation, readonly, options.get("deferrable", False))


class _DistributedConnection(_Connection):
    is_distributed = True


class _PooledDistributedConnection(_PooledConnection):
    is_distributed = True


class Database:
    """The connections of this process, lent for the length of a block.

    A block that succeeds hands its connection to the next one unchanged. Only after a failure the pool takes it back,
    cancels what may still run on it, and replaces it if it is lost; that costs as much as a small query.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._free: deque[Any] = deque()
        self._waiting = 0

    def acquire(self) -> "_Loan":
        """Lends a connection: ``async with database.acquire() as connection``. Raises TimeoutError."""
        return _Loan(self)

    @property
    def size(self) -> int:
        """Counts the open connections."""
        return self._pool.get_size()

    @property
    def idle(self) -> int:
        """Counts the open connections that are not in use."""
        return self._pool.get_idle_size() + len(self._free)

    @property
    def limit(self) -> int:
        """Counts the connections that may be open."""
        return self._pool.get_max_size()

    @property
    def waiting(self) -> int:
        """Counts the callers that wait for a connection, or for one to be opened."""
        return self._waiting

    async def take_connection(self) -> Any:
        """Lends a connection until it is put back. Raises TimeoutError."""
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
            await self.give_up(connection)
        self._waiting += 1
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):  # asyncpg's own time-out would make a task each time
                return await self._pool.acquire()
        except TimeoutError:
            raise NoFreeConnection from None
        finally:
            self._waiting -= 1

    async def put_back(self, connection: Any) -> None:
        """Takes back a connection on which nothing runs any more."""
        if self._waiting or connection.is_closed():
            await self.give_up(connection)  # waiting callers wait for a connection of the pool
        else:
            self._free.append(connection)

    async def give_up(self, connection: Any) -> None:
        """Takes back a connection in any state."""
        # An interrupted query is cancelled on the server first; if that gets no answer, the connection is closed.
        with suppress(TimeoutError):
            await self._pool.release(connection, timeout=CLOSE_SECONDS)

    async def close(self) -> None:
        """Closes all connections, once they are put back."""
        while self._free:
            await self.give_up(self._free.pop())
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.terminate()  # a server that does not answer would delay the shutdown for ever

    def terminate(self) -> None:
        """Closes all connections at once."""
        self._pool.terminate()


_LEAVES_IDLE = (DomainError, NeedsLock)
"""Errors that are raised between two statements: nothing runs on the connection."""


class _Loan(AbstractAsyncContextManager[Any]):
    """One use of a connection."""

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Any:
        self._connection = await self._database.take_connection()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, _LEAVES_IDLE):
            await self._database.put_back(self._connection)
        else:
            await self._database.give_up(self._connection)


async def connect(dsn: str, size: int, tracing: Tracing) -> Database:
    """Connects to a database with at most ``size`` connections, opened when needed; a pooler may be in between."""

    def trace(query: asyncpg.connection.LoggedQuery) -> None:
        tracing.past_child(
            "postgresql", query.elapsed, **{"db.system.name": "postgresql", "db.query.text": query.query}
        )

    async def prepare(connection: Any) -> None:
        await read_any_time(connection)
        if tracing.enabled:
            connection.add_query_logger(trace)

    async def open_pool(kind: type[_Connection], server_settings: Mapping[str, str]) -> "asyncpg.Pool[Any]":
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            connection_class=kind,
            init=prepare,
            statement_cache_size=1000,
            max_cached_statement_lifetime=0,
            # By default a text above 15 KB is prepared and planned again for each use, in one more round trip. Several
            # statements that run as one are as long as that.
            max_cacheable_statement_size=0,
            max_inactive_connection_lifetime=0,
            timeout=10,
            command_timeout=60,
            server_settings=dict(server_settings),
        )

    try:
        pool = await open_pool(_Connection, {**_NAME, **_SESSION, **_GENERIC_PLANS})
        if await pool.fetchval(_IS_DISTRIBUTED):
            await pool.close()
            pool = await open_pool(_DistributedConnection, {**_NAME, **_SESSION, **_OF_DISTRIBUTED})
        # A pooler may also be configured to drop the parameters.
        if await pool.fetchval("SELECT current_setting('lock_timeout')::interval = $1", _LOCK_TIMEOUT):
            return Database(pool)
        await pool.close()
    except asyncpg.ProtocolViolationError as error:
        if "startup parameter" not in str(error):
            raise
    _log.info("PostgreSQL is behind a pooler: time-outs are set for each transaction")
    if size > 1 and not await _keeps_statements(dsn):
        raise DatabaseUnusable(_LOSES_STATEMENTS)
    pool = await open_pool(_PooledConnection, _NAME)
    if await pool.fetchval(_IS_DISTRIBUTED):
        await pool.close()
        pool = await open_pool(_PooledDistributedConnection, _NAME)
    return Database(pool)


async def _keeps_statements(dsn: str) -> bool:
    """Returns whether a statement that was prepared in one session is found when the pooler changes to another session.

    Without this check some requests would fail, and only under load. A second connection holds the session in which the
    first one prepared, so that the first one has to get another. A pooler that has no other session does not answer.
    """
    one, other = [await asyncpg.connect(dsn, timeout=10, command_timeout=_POOLER_SECONDS) for _ in range(2)]
    try:
        statement = await one.prepare("SELECT 1")
        await statement.fetchval()  # ends the use of the session, which preparing does not
        async with other.transaction():
            await statement.fetchval()
    except TimeoutError:
        return True
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        return False
    finally:
        one.terminate()
        other.terminate()
    return True
