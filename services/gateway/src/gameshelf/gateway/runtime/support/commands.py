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
from gameshelf.kernel.database import Connection

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


class ChangeOfProduct(Protocol):
    """One change of a product's data, which is no user's."""

    command: ClassVar[str]
    """The name of the command that makes this change."""

    def target(self) -> State:
        """Returns the parameters of the change; together with the state before they suffice to undo it."""
        ...

    async def state(self, connection: Connection) -> State:
        """Returns the data that the change concerns, read both before and after it. What it reads stays as it is until
        the transaction ends: it takes the lock that writers of this data take. Raises the errors of the change.
        """
        ...

    async def act(self, connection: Connection) -> None:
        """Makes the change. Raises its errors."""
        ...


Undo = Callable[[Entry, UUID], Change]
"""Makes the change that undoes an audit entry of a user; its ``state`` has the same shape as that of the entry."""
UndoOfProduct = Callable[[Entry], ChangeOfProduct]
"""The same for an audit entry of a product."""


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
    """None if the change cannot be undone, or is one of a product."""
    undo_of_product: UndoOfProduct | None = None
    """None if the change cannot be undone, or is one of a user."""
    made_up: frozenset[str] = frozenset()
    """The parameters in ``target`` that each attempt makes up again, which do not distinguish two changes."""

    @property
    def can_undo(self) -> bool:
        """Whether a change by this command can be undone."""
        return self.undo is not None or self.undo_of_product is not None


def read_command(name: str, rpc: str) -> Command:
    """Declares a command that only reads; support and admins may run it."""
    return Command(name, rpc, CommandKind.READ, ANY)


def audited_read_command(name: str, rpc: str, roles: frozenset[Role]) -> Command:
    """Declares a command that only reads, and that is stored in the audit."""
    return Command(name, rpc, CommandKind.AUDITED_READ, roles)


def change_command(
    name: str, rpc: str, roles: frozenset[Role], undo: Undo | None = None, made_up: frozenset[str] = frozenset()
) -> Command:
    """Declares a command that changes data."""
    return Command(name, rpc, CommandKind.CHANGE, roles, undo, made_up=made_up)


def product_change_command(name: str, rpc: str, roles: frozenset[Role], undo: UndoOfProduct | None = None) -> Command:
    """Declares a command that changes data of a product."""
    return Command(name, rpc, CommandKind.CHANGE, roles, undo_of_product=undo)


class Commands:
    """All commands in the order of their names. Raises ValueError if two share a name or an RPC."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.all = tuple(sorted(commands, key=lambda command: command.name))
        self.by_name = {command.name: command for command in self.all}
        self.by_rpc = {command.rpc: command for command in self.all}
        for one in self.all:
            if self.by_name[one.name] is not one or self.by_rpc[one.rpc] is not one:
                raise ValueError(f"another command has the name or the RPC of {one.name} ({one.rpc})")

    def can_undo(self, entry: Entry) -> bool:
        """Returns whether an entry changed something, was not undone already, and can be undone.

        Whether the current state still allows the undo is checked only when it is tried.
        """
        return self.undo_of(entry) is not None or self.undo_of_product(entry) is not None

    def undo_of(self, entry: Entry) -> Undo | None:
        """Returns the undo of an entry of a user, if it has one."""
        return self.by_name[entry.command].undo if _is_open(entry) and entry.user_id is not None else None

    def undo_of_product(self, entry: Entry) -> UndoOfProduct | None:
        """Returns the undo of an entry of a product, if it has one."""
        return self.by_name[entry.command].undo_of_product if _is_open(entry) and entry.user_id is None else None


def _is_open(entry: Entry) -> bool:
    return entry.kind == EntryKind.CHANGE and entry.before != entry.after and entry.undone_by is None
