"""The connection pool."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import asyncpg
from gameshelf.gateway.observability.traces import Tracing

Pool = asyncpg.Pool
Acquire = Callable[[], AbstractAsyncContextManager[Any]]
"""Gives a connection for the length of a block. Raises TimeoutError when none is free for too long."""

ACQUIRE_SECONDS = 5.0
CLOSE_SECONDS = 5.0
# Longer than any statement of ours takes; a twin request waits this long for the lock of a user's row.
LOCK_TIMEOUT_MILLISECONDS = 5_000
STATEMENT_TIMEOUT_MILLISECONDS = 30_000


class DatabaseUnusable(Exception):
    """No connection at the start; the message is one line that names the variable."""


@contextmanager
def first_connection() -> Iterator[None]:
    """Around the first connection of a process. Raises DatabaseUnusable for what keeps it from being made."""
    try:
        yield
    except (ValueError, OverflowError):
        # The message may quote what looks like a port and is a part of the password.
        raise DatabaseUnusable("POSTGRES_DSN: it can't be understood") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise DatabaseUnusable(f"POSTGRES_DSN: the database can't be used: {reason}") from None


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        # Nothing here changes a session's state, and the usual reset would be one more round trip a request.
        return ""


async def create_pool(dsn: str, size: int, tracing: Tracing) -> "Pool[Any]":
    """A pool of at most ``size`` connections, opened as they are needed."""

    def trace(query: asyncpg.connection.LoggedQuery) -> None:
        tracing.past_child(
            "postgresql", query.elapsed, **{"db.system.name": "postgresql", "db.query.text": query.query}
        )

    async def prepare(connection: Any) -> None:
        if tracing.enabled:
            connection.add_query_logger(trace)

    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        connection_class=_Connection,
        init=prepare,
        statement_cache_size=1000,
        max_cached_statement_lifetime=0,
        timeout=10,
        command_timeout=60,
        server_settings={
            "application_name": "gameshelf-gateway",
            "lock_timeout": str(LOCK_TIMEOUT_MILLISECONDS),
            "statement_timeout": str(STATEMENT_TIMEOUT_MILLISECONDS),
            "idle_in_transaction_session_timeout": "60000",
            "jit": "off",  # compiling costs more than these small statements run
            # So does planning: each statement finds its rows by key, whatever the values are.
            "plan_cache_mode": "force_generic_plan",
        },
    )
