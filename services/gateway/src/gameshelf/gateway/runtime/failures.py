"""Classifies errors: a refusal, an unavailable dependency, or a defect of the service."""

import logging

import asyncpg
from gameshelf.gateway.runtime.errors import InternalError, ServiceUnavailable, Unauthenticated
from gameshelf.gateway.runtime.identity import InvalidCredentials
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.kernel.errors import DependencyUnavailable, DomainError
from redis import exceptions as redis

_log = logging.getLogger(__name__)

# The server is away, starting, stopping or full, its database is being restored, or a lock could not be taken in time.
# All of these are temporary.
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
"""Class of SQLSTATE: internal error, which includes damaged pages."""
SERVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)
# The last three: nodes of a cluster are away, or slots move to another node.
_REDIS_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.ReadOnlyError,
    redis.RedisClusterException,
    redis.ClusterError,
    redis.TryAgainError,
)
_STORES_AWAY = (*_REDIS_AWAY, DependencyUnavailable)
_LOST_A_RACE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


def postgres_is_away(error: BaseException) -> bool:
    """Returns whether PostgreSQL could not be reached, or temporarily could not serve."""
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg's messages for a connection that was lost during a statement. The message for an invalid argument
        # (ValueError) quotes the argument, which may contain these words.
        return not isinstance(error, ValueError) and ("closed" in str(error) or "connection" in str(error))
    return isinstance(error, _POSTGRES_AWAY)


def safe_to_repeat(error: BaseException) -> bool:
    """Returns whether the transaction lost a race, was rolled back completely, and may be repeated."""
    return isinstance(error, _LOST_A_RACE)


def is_contention(error: BaseException) -> bool:
    """Returns whether another transaction held or took the rows; work on other rows is not affected."""
    return isinstance(error, asyncpg.LockNotAvailableError) or safe_to_repeat(error)


def is_passing(error: BaseException) -> bool:
    """Returns whether the same work may succeed later unchanged."""
    return isinstance(error, _STORES_AWAY) or postgres_is_away(error) or safe_to_repeat(error)


def concerns_one(error: BaseException) -> bool:
    """Returns whether the failure concerns one user or product only: another transaction holds its rows, it lost a
    race, its statement took too long, or a page of its rows is damaged.
    """
    if isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(_DAMAGED):
        return True
    return is_contention(error) or isinstance(error, asyncpg.QueryCanceledError)


def is_own_fault(error: BaseException) -> bool:
    """Returns whether the data itself is invalid: a value out of range, a violated constraint, a row too large for an
    index. PostgreSQL's other refusals are not about the data and concern everybody.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _OWN_FAULT
    if isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, ValueError)  # asyncpg could not encode it
    return not is_passing(error) and not isinstance(error, SERVER_ERRORS)


def as_domain_error(error: Exception) -> DomainError:
    """Converts an error into the refusal that the caller receives. No internals leak; defects are logged."""
    if isinstance(error, ExceptionGroup):
        # Of several concurrent failures a defect is reported rather than a temporary failure.
        return as_domain_error(next((one for one in error.exceptions if not is_passing(one)), error.exceptions[0]))
    if isinstance(error, DomainError):
        return error
    if isinstance(error, UserErased | InvalidCredentials):
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
