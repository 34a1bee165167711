"""Declares support commands: the roles that may run one, its entry in the audit, and how its change is undone.

Every domain lists its own commands (``Domain.commands``), the runtime lists those of events and the audit
(``own_commands``). ``docs/support/commands.md`` is generated from all of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from gameshelf.gateway.runtime.identity import Role
from gameshelf.gateway.runtime.support.audit import Entry, EntryKind, State
from gameshelf.gateway.runtime.transaction import Transaction

ANY = frozenset({Role.SUPPORT, Role.ADMIN})
ADMIN = frozenset({Role.ADMIN})


class Change(Protocol):
    """One change of one user's data. All of it happens under the lock of that user."""

    command: ClassVar[str]
    """The name of the command that makes this change."""

    @property
    def user_id(self) -> UUID:
        """The user whose data is changed."""
        ...

    def target(self) -> State:
        """Returns the parameters of the change; together with the state before they suffice to undo it."""
        ...

    async def state(self, transaction: Transaction) -> State:
        """Returns the data that the change concerns, read both before and after it. Raises the errors of the change."""
        ...

    async def act(self, transaction: Transaction) -> None:
        """Makes the change. Raises its errors."""
        ...


Undo = Callable[[Entry, UUID], Change]
"""Makes the change that undoes an audit entry of a user; its ``state`` has the same shape as that of the entry."""


class CommandKind(StrEnum):
    """Determines what the audit stores about a command."""

    READ = "read"
    """Nothing is stored."""
    AUDITED_READ = "audited read"
    """The call is stored, because it hands out data and the user may want to know who received it."""
    CHANGE = "change"
    """The state before and after is stored."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as typed after ``libctl``, and the RPC that serves it."""

    name: str
    rpc: str
    kind: CommandKind
    roles: frozenset[Role]
    undo: Undo | None = None
    """None if the change cannot be undone."""


def read_command(name: str, rpc: str) -> Command:
    """Declares a command that only reads; support and admins may run it."""
    return Command(name, rpc, CommandKind.READ, ANY)


def audited_read_command(name: str, rpc: str, roles: frozenset[Role]) -> Command:
    """Declares a command that only reads, and that is stored in the audit."""
    return Command(name, rpc, CommandKind.AUDITED_READ, roles)


def change_command(name: str, rpc: str, roles: frozenset[Role], undo: Undo | None = None) -> Command:
    """Declares a command that changes data."""
    return Command(name, rpc, CommandKind.CHANGE, roles, undo)


class Commands:
    """All commands in the order of their names. Raises ValueError if two share a name or an RPC."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.all = tuple(sorted(commands, key=lambda command: command.name))
        self.by_name = {command.name: command for command in self.all}
        self.by_rpc = {command.rpc: command for command in self.all}
        for one in self.all:
            if self.by_name[one.name] is not one or self.by_rpc[one.rpc] is not one:
                raise ValueError(f"another command has the name or the RPC of {one.name} ({one.rpc})")

    def undo_of(self, entry: Entry) -> Undo | None:
        """Returns the undo of an entry; None if it changed nothing, was undone already, or cannot be undone.

        Whether the current state still allows the undo is checked only when it is tried.
        """
        is_change = entry.kind == EntryKind.CHANGE and entry.user_id is not None and entry.before != entry.after
        if not is_change or entry.undone_by is not None:
            return None
        return self.by_name[entry.command].undo
