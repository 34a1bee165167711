"""What went wrong, told apart: a refusal, a dependency that is away, or a mistake of ours."""

import logging

import asyncpg
from gameshelf.gateway.runtime.errors import InternalError, ServiceUnavailable, Unauthenticated
from gameshelf.gateway.runtime.identity import Unauthenticated as BadToken
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.kernel.errors import DependencyUnavailable, DomainError
from redis import exceptions as redis

_log = logging.getLogger(__name__)

# The server is away, starting, stopping, full, its database is about to be restored, or a lock was not to be had in
# time: all of it passes.
_POSTGRES_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,
    ConnectionError,
    TimeoutError,
    OSError,
)
# Classes of SQLSTATE: data exception, integrity constraint violation, program limit exceeded.
_OWN_FAULT = frozenset({"22", "23", "54"})
_DAMAGED = "XX"
"""Class of SQLSTATE: internal error, which a damaged page is too."""
SERVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)
_REDIS_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.ReadOnlyError)
_STORES_AWAY = (*_REDIS_AWAY, DependencyUnavailable)
_LOST_A_RACE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


def postgres_is_away(error: BaseException) -> bool:
    """Whether PostgreSQL could not be reached, or could not serve just now."""
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg's own words for a connection that went away under a statement; a bad argument quotes the argument.
        return not isinstance(error, ValueError) and ("closed" in str(error) or "connection" in str(error))
    return isinstance(error, _POSTGRES_AWAY)


def safe_to_repeat(error: BaseException) -> bool:
    """Whether the transaction lost against another one, was rolled back whole, and may simply be tried again."""
    return isinstance(error, _LOST_A_RACE)


def is_contention(error: BaseException) -> bool:
    """Whether others held or took what was needed: it says nothing about work on anything else."""
    return isinstance(error, asyncpg.LockNotAvailableError) or safe_to_repeat(error)


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later without any change to it."""
    return isinstance(error, _STORES_AWAY) or postgres_is_away(error) or safe_to_repeat(error)


def concerns_one(error: BaseException) -> bool:
    """Whether work on one user or product failed in a way that says nothing about others: somebody holds its rows, it
    lost a race, its statement took too long, or a page of its rows is damaged.
    """
    if isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(_DAMAGED):
        return True
    return is_contention(error) or isinstance(error, asyncpg.QueryCanceledError)


def is_own_fault(error: BaseException) -> bool:
    """Whether what was to be written is wrong in itself: a value out of range, a check that it violates, a row that
    fits no index. Of all that PostgreSQL refuses only this says something about the data; the rest concerns everybody.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _OWN_FAULT
    if isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, ValueError)  # asyncpg could not encode it
    return not is_passing(error) and not isinstance(error, SERVER_ERRORS)


def refused(error: Exception) -> DomainError:
    """What a caller is told of an error. Nothing internal leaks; what is our mistake is logged."""
    if isinstance(error, ExceptionGroup):
        # Of work done side by side: a mistake of ours before what passes.
        return refused(next((one for one in error.exceptions if not is_passing(one)), error.exceptions[0]))
    if isinstance(error, DomainError):
        return error
    if isinstance(error, UserErased | BadToken):
        return Unauthenticated()
    if isinstance(error, _REDIS_AWAY):
        return ServiceUnavailable("redis")
    if isinstance(error, DependencyUnavailable):
        return ServiceUnavailable(error.dependency)
    if is_passing(error):
        _log.warning("PostgreSQL is away: %s", type(error).__name__)
        return ServiceUnavailable("postgresql")
    _log.error("unexpected failure", exc_info=error)
    return InternalError()
