"""``libctl audit``: who did what, and taking it back."""

from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import CHANGE_OR_BATCH, rate_option
from gameshelf.libctl.batches.undo import EntryOrBatch, undo_batch
from gameshelf.libctl.changing import ApplyOptions, carry_out, changing_as, differences
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import USER_ID, shown_ids
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, lines, table
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_audit_pb2 as messages

_ENTRY = click.IntRange(1, 2**63 - 1)


@noun("audit")
def group() -> None:
    """The audit: list entries, show one, undo a change."""


@group.command("list")
@click.option("--user", type=USER_ID, help="Only entries about this user.")
@click.option("--actor", type=USER_ID, help="Only entries of this staff member.")
@click.option("--kind", type=click.Choice(["change", "refusal", "read"]), help="Only entries of this kind.")
@click.option("--command", help="Only this command, such as 'quota set'.")
@click.option("--ticket", default="", help="Only entries of this ticket, as it was given.")
@click.option("--batch", type=click.UUID, shell_complete=shown_ids("batch"), help="Only entries of this batch.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Continue the listing at this cursor.")
@answers(messages.ListAuditResponse, "entries")
@click.pass_obj
def list_(
    out: Output,
    user: UUID | None,
    actor: UUID | None,
    kind: str | None,
    command: str | None,
    ticket: str,
    batch: UUID | None,
    limit: int,
    cursor: str,
) -> None:
    """List audit entries, newest first."""
    request = messages.ListAuditRequest(
        user_id=str(user or ""),
        actor_id=str(actor or ""),
        kind=kind or "",
        command=command or "",
        ticket=ticket,
        batch_id=str(batch or ""),
        limit=limit,
        cursor=cursor,
    )
    found = plain(connect().call("ListAudit", request))
    columns = [
        Column("id", "right", whole=True),
        Column("what, when (UTC)", whole=True),
        Column("kind", whole=True),
        Column("user, why"),
    ]
    rows = [
        (
            one["audit_id"],
            lines(one["command"], minute(one["happened_at"])),
            one["kind"],
            lines(one["user_id"] or "of no user", *filter(None, [_why(one)])),
        )
        for one in found["entries"]
    ]
    out.result(found, table(columns, rows, empty="No entries."))
    if found["next_cursor"]:
        out.say(f"More: --cursor {found['next_cursor']}")
    if user and not found["entries"]:
        doubt(out, user)


@group.command()
@click.argument("entry", type=_ENTRY, shell_complete=shown_ids("audit_entry"))
@answers(messages.AuditEntry)
@click.pass_obj
def show(out: Output, entry: int) -> None:
    """Show one entry with the state before and after."""
    found = plain(connect().call("ShowAudit", messages.ShowAuditRequest(audit_id=str(entry))).entry)
    target = ", ".join(f"{name}: {value}" for name, value in (found["target"] or {}).items())
    shown = {
        "when": found["happened_at"],
        "who": f"{found['actor_id'] or 'an erased account'} ({', '.join(found['actor_roles'])})",
        "what": found["command"] if found["kind"] == "change" else f"{found['command']} ({found['kind']})",
        "user": found["user_id"],
        "asked for": target,
        "ticket": found["ticket"],
        "batch": found["batch_id"],
        "why": _refusal_and_reason(found),
        "takes back": found["undo_of"],
        "undone by": found["undone_by"],
    }
    parts = [facts((name, value) for name, value in shown.items() if value)]
    if found["kind"] == "change":
        parts.append(differences(found["before"], found["after"]))
    out.result(found, *parts)
    if found["can_undo"]:
        out.say(f"To undo it: libctl audit undo {found['audit_id']}")


@group.command()
@click.argument("entry", type=EntryOrBatch(), shell_complete=shown_ids("audit_entry", "batch"))
@rate_option
@changing_as(CHANGE_OR_BATCH)
@click.pass_obj
def undo(out: Output, entry: int | UUID, rate: float, options: ApplyOptions) -> int | None:
    """Undo a change, or those of a batch. Possible once, while the data is as that change left it."""
    if isinstance(entry, UUID):
        return undo_batch(out, entry, rate, options)
    carry_out(out, "UndoChange", messages.UndoChangeRequest(audit_id=str(entry)), options)
    return None


def _why(entry: dict[str, Any]) -> str:
    """The reason with its ticket, on one line."""
    ticket = f"[{entry['ticket']}]" if entry["ticket"] else ""
    return " ".join(filter(None, (ticket, _refusal_and_reason(entry))))


def _refusal_and_reason(entry: dict[str, Any]) -> str:
    refused = f"refused: {entry['code']}" if entry["code"] else ""
    return ". ".join(filter(None, (refused, entry["reason"])))
