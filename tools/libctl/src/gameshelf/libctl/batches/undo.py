"""``libctl audit undo BATCH``: undoes each change of a batch that was not undone yet."""

import shlex
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches import runs
from gameshelf.libctl.batches.journal import ChangeState, Journal
from gameshelf.libctl.batches.work import PlayerBatch
from gameshelf.libctl.changing import ApplyOptions, ChangeCall, typed
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import NothingFound, Precondition, Usage
from gameshelf.libctl.output import Output
from gameshelf.protos.library.v1 import admin_audit_pb2 as messages

_OPTIONS = ("--apply", "--reason", "--revision")
_PAGE = 100


class EntryOrBatch(click.ParamType[int | UUID]):
    """The number of an audit entry, or the id of a batch."""

    name = "entry"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | UUID:
        if isinstance(value, int | UUID):
            return value
        if value.isascii() and value.isdigit() and 0 < int(value) < 2**63:
            return int(value)
        try:
            return UUID(value)
        except ValueError:
            self.fail(f"{value!r} is neither the number of an entry nor the id of a batch", param, ctx)


def undo_batch(out: Output, batch_id: UUID, rate: float, options: ApplyOptions) -> int:
    """Shows what undoing a batch would do, or undoes what that dry run has seen."""
    if options.revision:
        raise Usage("--revision is for one entry; a batch has those of its dry run", "omit --revision")
    client, name = connect(), f"{batch_id}.undo"
    batch = PlayerBatch(str(batch_id), _call, client, rate, f"libctl {shlex.join(typed(_OPTIONS))}")
    if options.apply:
        with Journal.open(name) as journal:
            _require_current(journal, client, batch_id)
            return runs.apply(out, journal, batch, options)
    about = {"batch_id": str(batch_id), "command": "audit undo", "endpoint": client.address}
    with Journal.create(name, about) as journal:
        _fill(journal, client, batch_id)
        return runs.dry_run(out, journal, batch)


def _require_current(journal: Journal, client: Client, batch_id: UUID) -> None:
    """Raises Usage, or Precondition, unless a dry run has seen all that there is to undo, and something is left."""
    if (planned := journal.noted("endpoint")) != client.address:
        raise Usage(f"this was planned on {planned}, not on {client.address}", "use the profile of its dry run")
    again = f"libctl audit undo {batch_id}, which is a new dry run"
    if not journal.noted("newest"):
        raise Precondition("the dry run of this undo was interrupted before it had read the batch", again)
    newest = next(_changes(client, batch_id), None)
    if newest and newest.audit_id != journal.noted("newest"):
        raise Precondition("the batch has changed more since the dry run of this undo", again)
    counts, silent = journal.counts(), journal.unanswered(ChangeState.READ)
    if not counts[ChangeState.PLANNED] and counts[ChangeState.READ] == silent:
        done = f"{counts[ChangeState.APPLIED]:,} changes are undone, {silent:,} got no answer"
        raise Precondition(f"nothing is left to undo of what the dry run has seen: {done}", again)


def _fill(journal: Journal, client: Client, batch_id: UUID) -> None:
    """Puts the changes of a batch that are not undone into the journal. Raises NothingFound for a batch without any."""
    undone, other, newest = 0, 0, ""
    with journal.together():
        for number, entry in enumerate(_changes(client, batch_id), 1):
            newest = newest or entry.audit_id
            undone, other = undone + bool(entry.undone_by), other + bool(not entry.undone_by and not entry.can_undo)
            if entry.can_undo:
                journal.add(number, (entry.audit_id,))
        journal.note("newest", newest)
        journal.note("undone_before", undone)
        journal.note("not_undoable", other)
        if not sum(journal.counts().values()):
            counted = f": {undone:,} of its changes are undone already, {other:,} can't be undone"
            said = f"batch {batch_id} has nothing to undo{counted if undone or other else ''}"
            raise NothingFound(said, f"libctl audit list --batch {batch_id}")


def _changes(client: Client, batch_id: UUID) -> Iterator[messages.AuditEntry]:
    """Yields the entries of changes, the newest first; each page is read when it is needed."""
    cursor = ""
    while True:
        asked = messages.ListAuditRequest(batch_id=str(batch_id), kind="change", limit=_PAGE, cursor=cursor)
        page = client.call("ListAudit", asked)
        yield from (one for one in page.entries if not one.undo_of)
        cursor = page.next_cursor
        if not cursor:
            return


def _call(words: tuple[str, ...]) -> ChangeCall:
    return ChangeCall("UndoChange", messages.UndoChangeRequest(audit_id=words[0]))
