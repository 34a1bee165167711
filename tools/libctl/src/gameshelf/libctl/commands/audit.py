"""``libctl audit``: who did what, and taking it back."""

from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.changing import Wanted, carry_out, changing, differences
from gameshelf.libctl.client import connect
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, lines, table
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_audit_pb2 as messages

_ENTRY = click.IntRange(1, 2**63 - 1)


@noun("audit")
def group() -> None:
    """Who did what, and taking it back."""


@group.command("list")
@click.option("--user", type=click.UUID, help="About this user.")
@click.option("--actor", type=click.UUID, help="By this member of staff.")
@click.option("--kind", type=click.Choice(["change", "refusal", "read"]), help="Only entries of this kind.")
@click.option("--command", help="Only this command, such as 'quota set'.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Go on behind the last entry of a page before.")
@click.pass_obj
def list_(
    out: Output, user: UUID | None, actor: UUID | None, kind: str | None, command: str | None, limit: int, cursor: str
) -> None:
    """Entries, the newest first."""
    wanted = messages.ListAuditRequest(
        user_id=str(user or ""),
        actor_id=str(actor or ""),
        kind=kind or "",
        command=command or "",
        limit=limit,
        cursor=cursor,
    )
    found = plain(connect().call("ListAudit", wanted))
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
        out.say(f"There is more: --cursor {found['next_cursor']}")


@group.command()
@click.argument("entry", type=_ENTRY)
@click.pass_obj
def show(out: Output, entry: int) -> None:
    """One entry, with the state before and after."""
    found = plain(connect().call("ShowAudit", messages.ShowAuditRequest(audit_id=str(entry))).entry)
    target = ", ".join(f"{name}: {value}" for name, value in (found["target"] or {}).items())
    told = {
        "when": found["happened_at"],
        "who": f"{found['actor_id'] or 'an erased account'} ({', '.join(found['actor_roles'])})",
        "what": found["command"] if found["kind"] == "change" else f"{found['command']} ({found['kind']})",
        "user": found["user_id"],
        "asked for": target,
        "why": _why(found),
        "takes back": found["undo_of"],
        "taken back by": found["undone_by"],
    }
    parts = [facts((name, value) for name, value in told.items() if value)]
    if found["kind"] == "change":
        parts.append(differences(found["before"], found["after"]))
    out.result(found, *parts)
    if found["can_undo"]:
        out.say(f"To take it back: libctl audit undo {found['audit_id']}")


@group.command()
@click.argument("entry", type=_ENTRY)
@changing
@click.pass_obj
def undo(out: Output, entry: int, wanted: Wanted) -> None:
    """Takes a change back, once, and only while everything is as that change left it."""
    carry_out(out, "UndoChange", messages.UndoChangeRequest(audit_id=str(entry)), wanted)


def _why(entry: dict[str, Any]) -> str:
    refused = f"refused: {entry['code']}" if entry["code"] else ""
    return ". ".join(filter(None, (refused, entry["reason"])))
