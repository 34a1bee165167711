"""``audit list|show|undo``: audit entries, and undoing their changes."""

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.grpc.calls import parse_optional_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.audit import AuditFilter, Entry, EntryKind, State
from gameshelf.gateway.runtime.support.changes import MAX_TICKET
from gameshelf.gateway.runtime.support.commands import ADMIN, Commands
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, page_limit, parse_options
from gameshelf.kernel.errors import InvalidInput, PermissionDenied, Problem, ResourceNotFound
from gameshelf.kernel.text import is_storable, normalise
from gameshelf.protos.library.v1 import admin_audit_pb2 as messages

_KINDS = frozenset(EntryKind)
_LARGEST = 2**63 - 1


class Audits:
    """Serves the audit."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListAudit(self, request: messages.ListAuditRequest, by: Identity) -> messages.ListAuditResponse:
        wanted = _filter(request, self._context.commands)
        limit = page_limit(request.limit)
        async with self._context.acquire() as connection:
            found = await self._context.audit.list_entries(connection, wanted, limit + 1)
        shown = found[:limit]
        return messages.ListAuditResponse(
            entries=[self._message(one) for one in shown], next_cursor=str(shown[-1].id) if len(found) > limit else ""
        )

    async def ShowAudit(self, request: messages.ShowAuditRequest, by: Identity) -> messages.ShowAuditResponse:
        entry = await self._found(request.audit_id)
        return messages.ShowAuditResponse(entry=self._message(entry))

    async def UndoChange(self, request: messages.UndoChangeRequest, by: Identity) -> messages.UndoChangeResponse:
        options, entry = parse_options(request.change), await self._found(request.audit_id)
        command = self._context.commands.by_name.get(entry.command)
        needed = command.roles if command else ADMIN  # a refusal of a command that has another name by now
        if not by.roles & needed:
            raise PermissionDenied(command=entry.command, needs=" or ".join(sorted(needed)))
        done = await self._context.undo_change(entry, options, by)
        return messages.UndoChangeResponse(result=done)

    async def _found(self, text: str) -> Entry:
        """Returns the entry with this id. Raises InvalidInput, ResourceNotFound."""
        entry_id = _number(text, "audit_id")
        async with self._context.acquire() as connection:
            entry = await self._context.audit.find_entry(connection, entry_id)
        if entry is None:
            raise ResourceNotFound(audit_id=entry_id)
        return entry

    def _message(self, entry: Entry) -> messages.AuditEntry:
        return _entry(entry, can_undo=self._context.commands.can_undo(entry))


def _filter(request: messages.ListAuditRequest, commands: Commands) -> AuditFilter:
    if request.kind and request.kind not in _KINDS:
        raise InvalidInput(Problem("enum", pointer="kind", params={"expected": ", ".join(sorted(_KINDS))}))
    if request.command and request.command not in commands.by_name:
        raise InvalidInput(Problem("unknown_command", pointer="command"))
    return AuditFilter(
        user_id=parse_optional_id(request.user_id, "user_id"),
        actor_id=parse_optional_id(request.actor_id, "actor_id"),
        kind=request.kind or None,
        command=request.command or None,
        ticket=_ticket(request.ticket),
        batch_id=parse_optional_id(request.batch_id, "batch_id"),
        before_id=_number(request.cursor, "cursor") if request.cursor else None,
    )


def _ticket(sent: str) -> str | None:
    """Checks that the database can look for a ticket. Raises InvalidInput."""
    if len(sent) > MAX_TICKET:
        raise InvalidInput(Problem("string_too_long", pointer="ticket", params={"max_length": MAX_TICKET}))
    if not is_storable(sent):
        raise InvalidInput(Problem("text_forbidden_character", pointer="ticket"))
    return normalise(sent) or None  # in the form in which changes store it


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST):
        raise InvalidInput(Problem("int_parsing", pointer=field))
    return int(text)


def _entry(of: Entry, *, can_undo: bool) -> messages.AuditEntry:
    return messages.AuditEntry(
        audit_id=str(of.id),
        happened_at=timestamp(of.happened_at),
        kind=of.kind,
        command=of.command,
        actor_id=text(of.actor_id),
        actor_roles=of.actor_roles.split(","),
        user_id=text(of.user_id),
        target=_text(of.target),
        reason=text(of.reason),
        before=_text(of.before),
        after=_text(of.after),
        code=text(of.code),
        undo_of=text(of.undo_of),
        undone_by=text(of.undone_by),
        can_undo=can_undo,
        ticket=text(of.ticket),
        batch_id=text(of.batch_id),
    )


def _text(state: State | None) -> str:
    return "" if state is None else encode(state).decode()
