"""The steps around every gRPC call: authentication, metrics, traces, and one form for every failure."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableSequence, Set, Sized
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import grpc
from gameshelf.gateway.runtime.client_ids import set_client_id
from gameshelf.gateway.runtime.errors import ErrorTable
from gameshelf.gateway.runtime.failures import as_domain_error
from gameshelf.gateway.runtime.grpc.identify import Callers
from gameshelf.gateway.runtime.grpc.open_services import open_handler
from gameshelf.gateway.runtime.grpc.open_streams import OpenStreams
from gameshelf.gateway.runtime.grpc.refusals import NOT_SERVED, answer_of
from gameshelf.gateway.runtime.grpc.requests import LargeRequest, decoding, each_decoded
from gameshelf.gateway.runtime.identity import Identity, Role, parse_uuid
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.problems import problems_of
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.kernel.clock import Moment
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, PermissionDenied, Problem, pointer_step
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, TypeAdapter, ValidationError

M = TypeVar("M", bound=BaseModel)
GrpcContext = grpc.aio.ServicerContext[Any, Any]

_log = logging.getLogger(__name__)

MAX_ELEMENTS = 1000
"""Maximum number of elements in a list of a request."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
CLIENT_ID = "x-client-id"
"""The metadata by which a client names itself."""
_OPEN = ("/grpc.health.v1.", "/grpc.reflection.")
_caller: ContextVar[Identity] = ContextVar("caller")


def is_player() -> bool:
    """Returns whether the caller has no rights beyond those of a player."""
    return not _caller.get().roles & {Role.SERVICE, Role.SUPPORT, Role.ADMIN}


def require_read(user_id: UUID) -> None:
    """Checks that the caller may read this user's data: a player only their own. Raises PermissionDenied."""
    caller = _caller.get()
    if is_player() and (Role.USER not in caller.roles or caller.user_id != user_id):
        raise PermissionDenied


async def erased_among(streams: UserStreams, connection: Connection, users: Set[UUID]) -> Set[UUID]:
    """Returns those of the users whose account was deleted. Raises UserErased if the caller is such a user."""
    if not is_player():
        return await streams.being_erased(connection, users)
    for user_id in users:  # a player asks about themselves only
        await streams.state(connection, user_id)
    return frozenset()


def require_write(user_id: UUID) -> None:
    """Checks that the caller may report for this user: a player for themselves, a service for anybody.

    Support and administrators change data by ``LibraryAdminService`` only. Raises PermissionDenied.
    """
    caller = _caller.get()
    if Role.SERVICE in caller.roles:
        return
    if Role.USER not in caller.roles or caller.user_id != user_id:
        raise PermissionDenied


def require_own(user_id: UUID) -> None:
    """Checks that the caller is this player, for calls that nobody may make for others. Raises PermissionDenied."""
    caller = _caller.get()
    if Role.USER not in caller.roles or caller.user_id != user_id:
        raise PermissionDenied


def is_service() -> bool:
    """Returns whether the caller is another service."""
    return Role.SERVICE in _caller.get().roles


def caller() -> Identity:
    """Returns the identity of the caller."""
    return _caller.get()


def parse_id(text: str, field: str) -> UUID:
    """Parses a UUID of a request in its usual form. Raises InvalidInput that names the field."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise InvalidInput(Problem("uuid_parsing", pointer=field)) from None


def parse_optional_id(text: str, field: str) -> UUID | None:
    """Parses an id of a request; returns None for the empty text. Raises InvalidInput."""
    return parse_id(text, field) if text else None


def require_few(values: Sized, field: str) -> None:
    """Raises InvalidInput for a list that is too long."""
    if len(values) > MAX_ELEMENTS:
        raise InvalidInput(Problem("too_long", pointer=field, params={"max_length": MAX_ELEMENTS}))


def parse_message(model: type[M], message: Message, leave_out: Set[str] = frozenset(), **given: Any) -> M:
    """Parses a request into a validated command. An empty field counts as absent; ``given`` are values that the caller
    has converted already.

    Raises InvalidInput that lists the problems of all fields.
    """
    sent = {field.name: _plain(value) for field, value in message.ListFields() if field.name not in leave_out}
    try:
        return model.model_validate(sent | given)
    except ValidationError as error:
        raise InvalidInput(
            *problems_of(error, lambda location: "".join(map(pointer_step, location)).removeprefix("/"))
        ) from None


def _plain(value: Any) -> Any:
    """Converts a field to what a command accepts: times to datetimes, messages to dicts, lists to lists of these."""
    if isinstance(value, MutableSequence):  # what protobuf makes is one, and no list
        return [_plain(one) for one in value]
    if isinstance(value, Timestamp):
        return _datetime(value)
    if isinstance(value, Message):
        return {field.name: _plain(one) for field, one in value.ListFields()}
    return value


def parse_time(sent: Timestamp, field: str) -> datetime:
    """Parses a time of a request, in UTC. Raises InvalidInput that names the field."""
    try:
        return _MOMENT.validate_python(_datetime(sent))
    except ValidationError as error:
        raise InvalidInput(*problems_of(error, lambda _: field)) from None


def _datetime(sent: Timestamp) -> datetime:
    try:
        return sent.ToDatetime(UTC)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)  # validation refuses it like any other time out of range


class Calls(grpc.aio.ServerInterceptor):
    """Wraps every call. Health and reflection need no token, but have limits of their own."""

    def __init__(
        self,
        callers: Callers,
        metrics: Metrics,
        tracing: Tracing,
        errors: ErrorTable,
        large: Mapping[str, LargeRequest] = MappingProxyType({}),
    ) -> None:
        """``large`` has the methods whose messages may be larger, by their full names."""
        self._callers = callers
        self._large = large
        self._errors = errors
        self._metrics = metrics
        self._tracing = tracing
        self._open_streams = OpenStreams()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        if method.startswith(_OPEN):
            return open_handler(method, handler, self._callers, self._open_streams)
        # Without a deserializer gRPC hands out the bytes: nothing is decoded for an unknown caller.
        serializer = handler.response_serializer
        decode = decoding(handler.request_deserializer, large=self._large.get(method))
        if handler.unary_unary is not None:
            serve = self._wrap(method, handler.unary_unary, decode, True)
            return grpc.unary_unary_rpc_method_handler(serve, None, serializer)
        if handler.stream_stream is not None:
            serve = self._wrap(method, handler.stream_stream, partial(each_decoded, decode=decode), False)
            return grpc.stream_stream_rpc_method_handler(serve, None, serializer)
        return None  # a kind of method that the steps below do not handle would bypass them

    def _wrap(
        self, method: str, serve: Callable[..., Awaitable[Any]], decode: Callable[[Any], Any], is_timed: bool
    ) -> Callable[..., Awaitable[Any]]:
        async def wrapped(request: Any, context: GrpcContext) -> Any:
            started = time.perf_counter()
            code = "OK"
            with self._tracing.request(method, _traceparent(context)) as traced:
                try:
                    _caller.set(await self._callers.identify(context))
                    set_client_id(_client_id(context), CLIENT_ID)
                    return await serve(decode(request), context)
                except NotImplementedError:  # of a method that the protos declare and this release does not serve
                    code, status = "UNIMPLEMENTED", NOT_SERVED
                except Exception as error:
                    # The token of a service stays valid when the user that it acts for is erased.
                    erased = isinstance(error, UserErased) and not is_player()
                    # The exception is not kept in a variable: a frame that holds its own exception is a reference
                    # cycle, which keeps the request in memory until the garbage collector runs.
                    code, status = answer_of(PermissionDenied() if erased else as_domain_error(error), self._errors)
                    if code in ("INTERNAL", "UNAVAILABLE"):
                        traced.fail(type(error).__name__)
                except asyncio.CancelledError:
                    code = "CANCELLED"  # the caller hung up, or its deadline has passed
                    raise
                finally:
                    # The duration of a stream says nothing about its speed, so it is not measured.
                    self._metrics.requests.grpc_served(
                        method, code, time.perf_counter() - started if is_timed else None
                    )
            # Outside of the trace: aborting raises, and a refusal is not an error of the service.
            refusal = context.abort_with_status(status)
            # gRPC keeps the exception that this raises, whose traceback holds this frame. With them here, a request of
            # 4 MiB would stay in memory until the garbage collector runs over the cycle.
            del request, context
            return await refusal

        return wrapped


def _client_id(context: Any) -> str | None:
    given = [value for name, value in context.invocation_metadata() or () if name == CLIENT_ID]
    if len(given) > 1:
        raise InvalidInput(Problem("bad_client_id", pointer=CLIENT_ID))
    return given[0] if given else None


def _traceparent(context: Any) -> str | None:
    given = [value for name, value in context.invocation_metadata() or () if name == "traceparent"]
    return given[0] if len(given) == 1 and isinstance(given[0], str) else None
