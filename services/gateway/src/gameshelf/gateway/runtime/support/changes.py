"""Changes by support: a dry run, then the same change on the state that the dry run saw, audited in the same commit.

A dry run makes the change and rolls it back, so it shows the real effect.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.distributed import violated_constraint
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.support.audit import AuditFilter, AuditLog, Entry, EntryKind, NewEntry, State
from gameshelf.gateway.runtime.support.commands import Change, ChangeOfProduct, Commands
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem, ResourceNotFound
from gameshelf.kernel.text import NORMALISED, ONE_LINE
from pydantic import BaseModel, ConfigDict, Field

MIN_REASON, MAX_REASON = 10, 500
"""Length of a reason: what is shorter does not explain why a change was made."""
MAX_TICKET = 100
"""Length of a ticket, which may be an address."""
_MAX_ITEM = 200
_LOOKED_BACK = 100
"""Number of entries that are looked through for a change that was made already."""
_MAX_SHOWN = 2000
"""Bytes of a state that a refusal includes: it is sent in headers, which may safely have 8 KiB."""


class Options(BaseModel):
    """How to make a change: as a dry run, or applied with a reason and the revision of a dry run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apply: bool = False
    reason: Annotated[str, Field(max_length=MAX_REASON), NORMALISED, ONE_LINE] | None = None
    revision: str | None = Field(default=None, max_length=64)
    ticket: Annotated[str, Field(max_length=MAX_TICKET), NORMALISED, ONE_LINE] | None = None
    batch_id: UUID | None = None
    batch_item: str = Field(default="", max_length=_MAX_ITEM)
    """What distinguishes several changes of one user in a batch."""

    def require(self) -> None:
        """Raises InvalidInput if the change is to be applied without a revision or a reason that says something."""
        if self.apply:
            self._require("reason", "revision")

    def require_reason(self) -> None:
        """The same for work in parts, which has no revision."""
        if self.apply:
            self._require("reason")

    def _require(self, *names: str) -> None:
        if absent := [name for name in names if not getattr(self, name)]:
            raise InvalidInput(*(Problem("missing", pointer=f"change/{name}") for name in absent))
        if len(self.reason or "") < MIN_REASON:
            raise InvalidInput(Problem("string_too_short", pointer="change/reason", params={"min_length": MIN_REASON}))


class StateChanged(DomainError):
    """The data has changed since. Check it again."""

    code = "PRECONDITION_FAILED"


class NotUndoable(DomainError):
    """This cannot be undone."""

    code = "PRECONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The effect of a change or dry run; ``revision`` is that of the state before."""

    before: State
    after: State
    revision: str
    audit_id: int | None = None
    """None unless it was applied: for a dry run, and where there was nothing to change."""
    can_undo: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """A change on one connection, of a user's data or of a product's."""

    command: str
    user_id: UUID | None
    target: State
    connection: Connection
    state: Callable[[], Awaitable[State]]
    act: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SupportChanges:
    """Makes changes, and undoes them."""

    transactions: Transactions
    acquire: Acquire
    audit: AuditLog
    commands: Commands

    async def make(self, change: Change, options: Options, by: Identity) -> ChangeResult:
        """Makes a change, or shows its effect.

        Raises InvalidInput, StateChanged, UserErased, and the errors of the change.
        """
        return await self._make(change, options, by, None)

    async def make_of_product(self, change: ChangeOfProduct, options: Options, by: Identity) -> ChangeResult:
        """Makes a change of a product's data, or shows its effect.

        Raises InvalidInput, StateChanged, and the errors of the change.
        """
        return await self._make_of_product(change, options, by, None)

    async def undo(self, entry: Entry, options: Options, by: Identity) -> ChangeResult:
        """Undoes a change. Raises NotUndoable, StateChanged with the difference, and the errors of ``make``."""
        if entry.undone_by is not None:
            if undoing := await self._undone_before(entry.undone_by, options, by):
                return undoing
            raise NotUndoable(reason="already_undone", undone_by=entry.undone_by)
        undo, undo_of_product = self.commands.undo_of(entry), self.commands.undo_of_product(entry)
        try:
            if undo and entry.user_id is not None:
                return await self._make(undo(entry, entry.user_id), options, by, entry)
            if undo_of_product:
                return await self._make_of_product(undo_of_product(entry), options, by, entry)
        except asyncpg.UniqueViolationError as error:
            if violated_constraint(error) != "uq_audit_undo":
                raise
            raise NotUndoable(reason="already_undone") from None  # concurrently, by another caller
        raise NotUndoable(reason="nothing_changed" if entry.before == entry.after else "no_way_back")

    async def made_before(
        self, command: str, user_id: UUID | None, target: State, options: Options, by: Identity
    ) -> ChangeResult | None:
        """Returns the result of a change that was made already, on the same revision and, but for a batch, by the same
        caller for the same reason: its answer may have been lost. None if there is none, or if it was undone since.

        ``user_id`` is None for a change that may be of anybody's data; ``target`` may lack some of its parameters.
        """
        if not (options.apply and options.revision):
            return None
        async with self.acquire() as connection:
            return await self._find_alike(connection, command, user_id, target, options, by)

    async def _made_alike(self, work: _Work, options: Options, by: Identity) -> ChangeResult | None:
        """The same within the transaction of a change. Those of a batch were looked for by their item."""
        if not (options.apply and options.revision) or options.batch_id:
            return None
        return await self._find_alike(work.connection, work.command, work.user_id, work.target, options, by)

    async def _find_alike(
        self,
        connection: Connection,
        command: str,
        user_id: UUID | None,
        target: State,
        options: Options,
        by: Identity,
    ) -> ChangeResult | None:
        if options.batch_id:
            entries = await self.audit.list_of_item(connection, options.batch_id, options.batch_item, _LOOKED_BACK)
        else:
            looked = AuditFilter(user_id, by.user_id, EntryKind.CHANGE, command)
            entries = await self.audit.list_entries(connection, looked, _LOOKED_BACK)
        made_up = self.commands.by_name[command].made_up
        wanted = plain({name: value for name, value in target.items() if name not in made_up}).items()
        for one in entries:
            is_alike = one.command == command and one.undone_by is None and wanted <= one.target.items()
            if is_alike and _is_repeated(one, options, by):
                return self._result_of(one, options)
        return None

    async def _make(self, change: Change, options: Options, by: Identity, undone: Entry | None) -> ChangeResult:
        options.require()

        async def make(transaction: Transaction) -> ChangeResult:
            state, act = partial(change.state, transaction), partial(change.act, transaction)
            work = _Work(change.command, change.user_id, change.target(), transaction.connection, state, act)
            return await self._carry_out(work, options, by, undone)

        try:
            return await self.transactions.run(change.user_id, make)
        except _RolledBack as rolled_back:
            return rolled_back.result
        except UserErased:
            async with self.acquire() as connection:
                made = None if undone else await self._made_in_batch(connection, change.user_id, options)
            if made is None:
                raise
            return made  # the batch made its change before the account was erased, or erased it

    async def _make_of_product(
        self, change: ChangeOfProduct, options: Options, by: Identity, undone: Entry | None
    ) -> ChangeResult:
        options.require()
        try:
            async with self.acquire() as connection, connection.transaction():
                state, act = partial(change.state, connection), partial(change.act, connection)
                work = _Work(change.command, None, change.target(), connection, state, act)
                return await self._carry_out(work, options, by, undone)
        except _RolledBack as rolled_back:
            return rolled_back.result

    async def _made_in_batch(
        self, connection: Connection, user_id: UUID | None, options: Options
    ) -> ChangeResult | None:
        """Returns the result of a change that its batch has made already, so that a batch can be run again.

        Raises StateChanged for one that was undone since: a batch makes each change once.
        """
        if not (options.apply and options.batch_id):
            return None
        made = await self.audit.find_in_batch(connection, user_id, options.batch_id, options.batch_item)
        if made and made.undone_by is not None:
            raise StateChanged(reason="undone_since", undone_by=made.undone_by)
        return self._result_of(made, options) if made else None

    async def _undone_before(self, undone_by: int, options: Options, by: Identity) -> ChangeResult | None:
        """The same for an undo, of a batch or by the caller alone."""
        if not options.apply:
            return None
        async with self.acquire() as connection:
            made = await self.audit.find_entry(connection, undone_by)
        if made is None:
            return None
        is_same = made.batch_id == options.batch_id if options.batch_id else _is_repeated(made, options, by)
        return self._result_of(made, options) if is_same else None

    def _result_of(self, made: Entry, options: Options) -> ChangeResult:
        return ChangeResult(
            made.before or {}, made.after or {}, options.revision or "", made.id, self.commands.can_undo(made)
        )

    async def _carry_out(self, work: _Work, options: Options, by: Identity, undone: Entry | None) -> ChangeResult:
        # First of all, under the lock of the user: the data is no longer as it was before the batch made this change.
        made = None if undone else await self._made_in_batch(work.connection, work.user_id, options)
        if made:
            return made
        try:
            before = plain(await work.state())
            revision = revision_of(before)
            if undone and before != undone.after:
                raise StateChanged(difference=difference(undone.after or {}, before))
            if options.apply and options.revision != revision:
                raise StateChanged(revision=revision, current=_shown(before))
        except (ResourceNotFound, StateChanged):
            # The first attempt may be what has changed the data, or ended what the change is about. An error of the
            # change itself says nothing of the kind: the data is as the revision says, as if it had not been made.
            if undone or not (made := await self._made_alike(work, options, by)):
                raise
            return made
        await work.act()
        result = ChangeResult(before, plain(await work.state()), revision)
        if not options.apply or result.before == result.after:
            # What left no difference leaves no entry either: the audit is read for what was changed.
            raise _RolledBack(result)
        audit_id = await self.audit.add_entry(work.connection, by, _entry(work, result, options, undone))
        # An undo cannot be undone in turn.
        can_undo = undone is None and self.commands.by_name[work.command].can_undo
        return replace(result, audit_id=audit_id, can_undo=can_undo)


class _RolledBack(Exception):
    """Rolls back a dry run, and a change that changed nothing."""

    def __init__(self, result: ChangeResult) -> None:
        super().__init__()
        self.result = result


def _is_repeated(made: Entry, options: Options, by: Identity) -> bool:
    """Whether an entry is of this revision, and of the same batch or of this caller for this reason."""
    is_theirs = made.actor_id == by.user_id and made.reason == options.reason
    is_of_batch = options.batch_id is not None and made.batch_id == options.batch_id
    return (is_of_batch or is_theirs) and revision_of(made.before or {}) == options.revision


def _entry(work: _Work, result: ChangeResult, options: Options, undone: Entry | None) -> NewEntry:
    return NewEntry(
        EntryKind.CHANGE,
        "audit undo" if undone else work.command,
        work.user_id,
        plain(work.target),
        options.reason,
        result.before,
        result.after,
        undo_of=undone.id if undone else None,
        ticket=options.ticket,
        batch_id=options.batch_id,
        # What undoes a change is decided by ``uq_audit_undo``.
        batch_item=None if undone or options.batch_id is None else options.batch_item,
    )


def plain(state: State) -> State:
    """Converts a state to plain JSON, the form that is compared, stored and shown."""
    of: State = decode(encode(state))
    return of


def revision_of(state: State) -> str:
    """Returns the revision of a state: 16 hexadecimal digits. The order of names, which the audit doesn't keep, is of
    no account.
    """
    return blake2b(encode(_in_order(state)), digest_size=8).hexdigest()


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def difference(expected: State, current: State) -> str:
    """Returns the fields that differ as JSON, with the expected and the current value of each."""
    names = sorted(expected.keys() | current.keys())
    apart = {
        name: {"expected": expected.get(name), "current": current.get(name)}
        for name in names
        if expected.get(name) != current.get(name)
    }
    return _shown(apart)


def _shown(state: Any) -> str:
    text = encode(state)
    return text.decode() if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN].decode(errors="ignore") + "…"
