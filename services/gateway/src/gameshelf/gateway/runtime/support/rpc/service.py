"""``LibraryAdminService``: checks roles, writes the audit, and passes each call to the object that serves it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from uuid import UUID

import grpc
import grpc.aio
from gameshelf.gateway.runtime.failures import as_domain_error
from gameshelf.gateway.runtime.grpc.calls import caller
from gameshelf.gateway.runtime.identity import Identity, InvalidCredentials, parse_uuid
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.support.audit import EntryKind, NewEntry, State
from gameshelf.gateway.runtime.support.changes import MAX_REASON, MAX_TICKET
from gameshelf.gateway.runtime.support.commands import Command, CommandKind
from gameshelf.gateway.runtime.support.language import set_language
from gameshelf.gateway.runtime.support.refusals import RefusalAudit
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.kernel.errors import DomainError, PermissionDenied, ResourceNotFound
from gameshelf.protos.library.v1 import library_admin_service_pb2 as messages
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

SERVICE = messages.DESCRIPTOR.services_by_name["LibraryAdminService"]

_MAX_TEXT = 500
_NO_TARGET = frozenset({"change", "user_id", "owner_user_id", "actor_id", "cursor", "sought"})
"""An erasure could not remove an id from ``target``; a cursor may contain one, and so may a search."""
_OF_BATCHES = 1
"""How many changes of batches a process makes at once: a batch is long, and must leave room for the other requests."""

Serve = Callable[[Any, Identity], Awaitable[Message]]


class LibraryAdmin:
    """Serves support commands. RPCs that are in no table of commands are not served.

    Each of ``nouns`` has a method per RPC of its commands, which receives the request and the caller and returns the
    response. Raises ValueError for a command that is not served by exactly one of them.
    """

    def __init__(self, context: SupportContext, nouns: Sequence[object]) -> None:
        self._context = context
        self._commands = context.commands.all
        self._refusals = RefusalAudit(context.audit)
        self._serve = {command.rpc: _method(command, nouns) for command in self._commands}
        self._of_batches = asyncio.Semaphore(_OF_BATCHES)

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        handlers = {command.rpc: self._handler(command) for command in self._commands}
        server.add_registered_method_handlers(SERVICE.full_name, handlers)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),))
        name: str = SERVICE.full_name
        return name

    def _handler(self, command: Command) -> Any:
        method = SERVICE.methods_by_name[command.rpc]
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        return grpc.unary_unary_rpc_method_handler(
            self._wrap(command, self._serve[command.rpc]), request.FromString, response.SerializeToString
        )

    def _wrap(self, command: Command, serve: Serve) -> Callable[..., Awaitable[Message]]:
        async def wrapped(request: Message, context: Any) -> Message:
            by = caller()
            set_language(context)
            await self._require_account(by)
            try:
                if not by.roles & command.roles:
                    raise PermissionDenied(command=command.name, needs=" or ".join(sorted(command.roles)))
                async with self._turn(request):
                    response = await serve(request, by)
                if command.kind is CommandKind.AUDITED_READ:
                    await self._audit(by, NewEntry(EntryKind.READ, command.name, _user(request), _target(request)))
                return response
            except Exception as error:
                # An erased account is reported as not found; UserErased would refer to the caller's own account.
                refusal = ResourceNotFound(reason="erased") if isinstance(error, UserErased) else as_domain_error(error)
                try:
                    async with self._context.acquire() as connection:
                        await self._refusals.add_refusal(connection, by, _refusal(command, request, refusal))
                    if refusal is error:
                        raise
                    raise refusal from error
                finally:
                    del refusal  # a frame that refers to its own exception keeps the request in memory

        return wrapped

    def _turn(self, request: Message) -> AbstractAsyncContextManager[Any]:
        """Waits for a turn among the changes of batches; other calls need none."""
        return self._of_batches if getattr(getattr(request, "change", None), "batch_id", "") else nullcontext()

    async def _require_account(self, by: Identity) -> None:
        """Raises Unauthenticated for a caller whose own account was erased, even if the token has not expired."""
        async with self._context.acquire() as connection:
            if await self._context.streams.erased(connection, by.user_id):
                raise InvalidCredentials("the account was erased")

    async def _audit(self, by: Identity, new: NewEntry) -> None:
        async with self._context.acquire() as connection:
            await self._context.audit.add_entry(connection, by, new)


def _method(command: Command, nouns: Sequence[object]) -> Serve:
    found: list[Serve] = [getattr(noun, command.rpc) for noun in nouns if hasattr(noun, command.rpc)]
    if len(found) != 1:
        raise ValueError(f"{command.rpc}: served by {len(found)} objects instead of one")
    return found[0]


def _refusal(command: Command, request: Message, refusal: DomainError) -> NewEntry:
    change = getattr(request, "change", None)
    reason, ticket = (
        getattr(change, name, "").replace("\0", "")[:longest] or None
        for name, longest in (("reason", MAX_REASON), ("ticket", MAX_TICKET))
    )
    return NewEntry(
        EntryKind.REFUSAL,
        command.name,
        _user(request),
        _target(request),
        reason,
        code=refusal.code,
        ticket=ticket,
        batch_id=_uuid(getattr(change, "batch_id", "")),
    )


def _user(request: Any) -> UUID | None:
    where = (request, getattr(request, "filter", None))
    names = (getattr(one, name, "") for one in where for name in ("user_id", "owner_user_id"))
    return _uuid(next(filter(None, names), ""))


def _uuid(sent: str) -> UUID | None:
    try:
        return parse_uuid(sent)
    except ValueError:
        return None


def _target(request: Message) -> State:
    """Returns the request within the size limits of an audit entry."""
    try:
        asked: State = MessageToDict(request, preserving_proto_field_name=True)
        asked |= asked.pop("filter", {})
    except SerializeToJsonError:  # an invalid timestamp must not keep a refusal out of the audit
        asked = _fields(request)
    return {name: _bounded(value) for name, value in asked.items() if name not in _NO_TARGET}


def _fields(request: Message) -> State:
    """Returns the fields of the request as texts, including values without a JSON form."""
    asked: State = {}
    for field, value in request.ListFields():
        asked |= _fields(value) if field.name == "filter" else {field.name: str(value)}
    return asked


def _bounded(value: Any) -> Any:
    text = value if isinstance(value, str) else str(value)
    return value if len(text) <= _MAX_TEXT and "\0" not in text else text.replace("\0", "")[:_MAX_TEXT]
