"""The steps around every gRPC call: who calls, may they, how long it took, and one form for every failure."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Set, Sized
from contextvars import ContextVar
from datetime import UTC
from typing import Any, TypeVar
from uuid import UUID

import grpc
from gameshelf.gateway.errors import CODES, RateLimitExceeded
from gameshelf.gateway.failures import refused
from gameshelf.gateway.identity import Identity, Role, TokenVerifier, Unauthenticated, parse_uuid
from gameshelf.gateway.limits import RateLimits
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.observability.traces import Tracing
from gameshelf.gateway.problems import problems_of
from gameshelf.gateway.streams import UserErased, UserStreams
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError, InvalidInput, PermissionDenied, Problem, echo
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)

_log = logging.getLogger(__name__)

DOMAIN = "library.platform"
MAX_ELEMENTS = 1000
"""How many elements a list of a request may have."""
_OPEN = ("/grpc.health.v1.", "/grpc.reflection.")
_caller: ContextVar[Identity] = ContextVar("caller")


def is_player() -> bool:
    """Whether the caller may do nothing but what a player may."""
    return not _caller.get().roles & {Role.SERVICE, Role.SUPPORT, Role.ADMIN}


def require_read(user_id: UUID) -> None:
    """Whether the caller may read this user's data: a player only their own. Raises PermissionDenied."""
    caller = _caller.get()
    if is_player() and (Role.USER not in caller.roles or caller.user_id != user_id):
        raise PermissionDenied


async def erased_among(streams: UserStreams, connection: Connection, users: Set[UUID]) -> Set[UUID]:
    """Those whose account was deleted: nobody reads of them any more. Raises UserErased for a player themselves."""
    if not is_player():
        return await streams.being_erased(connection, users)
    for user_id in users:  # the player alone
        await streams.state(connection, user_id)
    return frozenset()


def require_write(user_id: UUID) -> None:
    """Whether the caller may report for this user: a player for themselves, a service for anybody.

    Support and administrators change data by ``LibraryAdminService`` only. Raises PermissionDenied.
    """
    caller = _caller.get()
    if Role.SERVICE in caller.roles:
        return
    if Role.USER not in caller.roles or caller.user_id != user_id:
        raise PermissionDenied


def require_own(user_id: UUID) -> None:
    """Whether the caller is this very player: what nobody writes on behalf of others. Raises PermissionDenied."""
    caller = _caller.get()
    if Role.USER not in caller.roles or caller.user_id != user_id:
        raise PermissionDenied


def is_service() -> bool:
    """Whether another service calls."""
    return Role.SERVICE in _caller.get().roles


def caller() -> Identity:
    """Who calls."""
    return _caller.get()


def parse_id(text: str, field: str) -> UUID:
    """A UUID of a request, in the one usual form. Raises InvalidInput that names the field."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise InvalidInput(Problem("uuid_parsing", pointer=field)) from None


def require_few(values: Sized, field: str) -> None:
    """Raises InvalidInput for a list that is too long."""
    if len(values) > MAX_ELEMENTS:
        raise InvalidInput(Problem("too_long", pointer=field, params={"max_length": MAX_ELEMENTS}))


def parse_message(model: type[M], message: Message, leave_out: Set[str] = frozenset(), **given: Any) -> M:
    """A request as a validated command; an empty field counts as absent, ``given`` is what it says in other words.

    Raises InvalidInput, all fields in one go.
    """
    sent = {field.name: _plain(value) for field, value in message.ListFields() if field.name not in leave_out}
    try:
        return model.model_validate(sent | given)
    except ValidationError as error:
        raise InvalidInput(
            *problems_of(error, lambda location: ".".join(echo(str(step)) for step in location))
        ) from None


def _plain(value: Any) -> Any:
    """A field as a command takes it: times as such, messages as dicts."""
    if isinstance(value, Timestamp):
        try:
            return value.ToDatetime(UTC)
        except (ValueError, OverflowError):
            return "beyond all times"  # which the command refuses
    if isinstance(value, Message):
        return {field.name: _plain(one) for field, one in value.ListFields()}
    return value


class ServiceCertificates:
    """Which client certificates role ``service`` needs; none when TLS is not required."""

    def __init__(self, required: bool, names: tuple[str, ...]) -> None:
        self._required = required
        self._names = frozenset(names)

    def check(self, identity: Identity, auth_context: Any) -> None:
        """Raises PermissionDenied for a service without a certificate of a listed name."""
        if not self._required or Role.SERVICE not in identity.roles:
            return
        given = {
            name.decode(errors="replace")
            for key in ("x509_common_name", "x509_subject_alternative_name")
            for name in auth_context.get(key, ())
        }
        if not given & self._names:
            raise PermissionDenied


class Calls(grpc.aio.ServerInterceptor):
    """Wraps every unary call and every stream. Health and reflection are open."""

    def __init__(
        self,
        verifier: TokenVerifier | None,
        certificates: ServiceCertificates,
        limits: RateLimits,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._verifier = verifier
        self._certificates = certificates
        self._limits = limits
        self._metrics = metrics
        self._tracing = tracing

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN):
            return handler
        codec = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._wrap(method, handler.unary_unary, True), *codec)
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(self._wrap(method, handler.stream_stream, False), *codec)
        return None  # what the steps below don't know would pass by them

    def _wrap(self, method: str, serve: Callable[..., Awaitable[Any]], is_timed: bool) -> Callable[..., Awaitable[Any]]:
        async def wrapped(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            started = time.perf_counter()
            metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
            code = "OK"
            with self._tracing.request(method, _text(metadata.get("traceparent"))) as traced:
                try:
                    await self._identify(metadata, context)
                    return await serve(request, context)
                except Exception as error:
                    # To a service that acts for an erased user its own token is as good as ever.
                    erased = isinstance(error, UserErased) and not is_player()
                    refusal = PermissionDenied() if erased else refused(error)
                    code = CODES[refusal.code].grpc
                    if code in ("INTERNAL", "UNAVAILABLE"):
                        traced.fail(type(error).__name__)
                except asyncio.CancelledError:
                    code = "CANCELLED"  # the caller hung up, or its deadline has passed
                    raise
                finally:
                    # How long a stream was open says nothing of how fast it was.
                    self._metrics.grpc_served(method, code, time.perf_counter() - started if is_timed else None)
            # After the trace: aborting raises, and a refusal is no error of the service.
            return await context.abort_with_status(rpc_status.to_status(_status(refusal)))

        return wrapped

    async def _identify(self, metadata: dict[str, Any], context: grpc.aio.ServicerContext[Any, Any]) -> None:
        scheme, _, token = (_text(metadata.get("authorization")) or "").partition(" ")
        if self._verifier is None or scheme.lower() != "bearer":
            raise Unauthenticated("no bearer token")
        identity = await self._verifier.verify(token.strip())
        self._certificates.check(identity, context.auth_context())
        if Role.SERVICE in identity.roles:
            await self._limits.of_service(str(identity.user_id))
        else:
            await self._limits.of_user(identity.user_id)
        _caller.set(identity)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _status(refusal: DomainError) -> Status:
    code = CODES[refusal.code]
    info = ErrorInfo(reason=refusal.code, domain=DOMAIN)
    for name, value in refusal.meta.items():
        info.metadata[name] = str(value)
    if isinstance(refusal, RateLimitExceeded):
        info.metadata["retry_after"] = str(refusal.retry_after)
    detail = code.detailed("en")
    if isinstance(refusal, InvalidInput):
        detail = "; ".join(f"{_field(problem)}: {problem.rule}" for problem in refusal.problems)
    packed = AnyMessage()
    packed.Pack(info)
    return Status(code=getattr(grpc.StatusCode, code.grpc).value[0], message=detail, details=[packed])


def _field(problem: Problem) -> str:
    """The field of the message; what a use case finds is named as in REST."""
    return (problem.pointer or problem.parameter or "").removeprefix("/data/attributes/")
