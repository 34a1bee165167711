"""``libctl saves reconcile``: takes back the saves that S3 still has and a restored database has lost."""

import shlex
import sys
from collections import Counter
from typing import Any

import click
from gameshelf.libctl.changing import ticket_option
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import Precondition, Terminated, Unavailable, Usage
from gameshelf.libctl.main import Noun, Verb
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, size, table
from gameshelf.libctl.progress import progress
from gameshelf.libctl.reasons import require_full_reason
from gameshelf.libctl.shapes import FLAG, NUMBER, STRING, Shape, list_of, with_shape
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages

_LISTED = 200
"""The number of objects of each kind that are listed at the end; all of them are counted."""
_KINDS = ("adopted", "missing", "refused")


def register(group: Noun) -> None:
    """Makes ``reconcile`` a verb of that group."""
    group.add_command(reconcile)


_RECONCILED = Shape(
    fields={
        "applied": FLAG,
        "next_cursor": STRING,
        "objects": NUMBER,
        "adopted_bytes": NUMBER,
        "counts": Shape(fields=dict.fromkeys(_KINDS, NUMBER)),
        "outcomes": {"type": "object", "additionalProperties": NUMBER},
        **dict.fromkeys(_KINDS, list_of(messages.ReconciledObject)),
        "audit_ids": list_of(STRING),
        "is_restore_open": FLAG,
    }
)


class Totals:
    """The sums of all pages, in bounded memory."""

    def __init__(self) -> None:
        self.objects = 0
        self.bytes = 0
        self.counts: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.listed: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        self.audit_ids: list[str] = []
        self.is_restore_open = False

    def add(self, page: dict[str, Any]) -> None:
        """Takes a page in."""
        self.objects += page["objects"]
        self.bytes += sum(one["file_size_bytes"] for one in page["adopted"])
        for kind in _KINDS:
            self.counts[kind] += len(page[kind])
            self.outcomes.update(one["outcome"] for one in page[kind])
            self.listed[kind] += page[kind][: _LISTED - len(self.listed[kind])]
        self.audit_ids = (self.audit_ids + page["audit_ids"])[-_LISTED:]
        self.is_restore_open = page["is_restore_open"]

    def document(self, next_cursor: str, *, is_applied: bool) -> dict[str, Any]:
        """As plain data."""
        return {
            "applied": is_applied,
            "next_cursor": next_cursor,
            "objects": self.objects,
            "adopted_bytes": self.bytes,
            "counts": {kind: self.counts[kind] for kind in _KINDS},
            "outcomes": dict(sorted(self.outcomes.items())),
            **self.listed,
            "audit_ids": self.audit_ids,
            "is_restore_open": self.is_restore_open,
        }


@click.command("reconcile", cls=Verb)
@click.option("--cursor", default="", help="Resume an interrupted run at this cursor.")
@click.option("--apply", "is_applied", is_flag=True, help="Make the change; without this it is only shown.")
@click.option("--reason", metavar="TEXT", help="Reason for the audit, of at least 10 characters. --apply needs it.")
@ticket_option
@with_shape(_RECONCILED)
@click.pass_obj
def reconcile(out: Output, cursor: str, is_applied: bool, reason: str | None, ticket: str) -> None:
    """Adopt saves that S3 has and a restored database lacks, then let deletion jobs run again.

    Needs the role admin.
    """
    if reason and not is_applied:
        raise Usage("--reason needs --apply", "add --apply")
    totals = Totals()
    request = messages.ReconcileSavesRequest(cursor=cursor)
    if is_applied:
        request.change.apply, request.change.reason = True, require_full_reason(reason, "audit")
        request.change.ticket = ticket
    try:
        _walk(out, connect(), request, totals)
    except Precondition as refused:
        refused.hint = "repeat it without --cursor"
        raise
    except Unavailable as refused:  # what has been done is done, and the rest can follow
        refused.hint = _again(request.cursor, is_applied)
        raise
    except (KeyboardInterrupt, Terminated):
        out.warn("Interrupted before the end. To resume:")
        out.say(f"  {_again(request.cursor, is_applied)}")
        raise
    _show(out, totals, is_applied)


def _walk(out: Output, client: Client, request: messages.ReconcileSavesRequest, totals: Totals) -> None:
    """Asks for page after page; the request's cursor is where it has come to, and empty in the end."""
    with progress(out, "comparing S3 with the database") as report:
        while True:
            page = plain(client.call("ReconcileSaves", request))
            totals.add(page)
            request.cursor = page["next_cursor"]
            if not request.cursor:
                return
            report(_progress(totals))


def _progress(totals: Totals) -> str:
    counts = ", ".join(f"{totals.counts[kind]} {kind}" for kind in _KINDS)
    return f"{totals.objects} objects, {counts}"


def _show(out: Output, totals: Totals, is_applied: bool) -> None:
    shown = {
        "objects compared": totals.objects,
        "adopted" if is_applied else "to be adopted": f"{totals.counts['adopted']} ({size(totals.bytes)})",
        "missing in S3": totals.counts["missing"],
        "refused": totals.counts["refused"],
        **{f"  {outcome}": number for outcome, number in sorted(totals.outcomes.items())},
    }
    columns: list[Column | str] = [
        "outcome",
        Column("user", whole=True),
        "save",
        Column("version", "right"),
        Column("size", "right"),
    ]
    rows = [
        (one["outcome"], one["user_id"], one["slot_name"], one["version"] or "", size(one["file_size_bytes"]))
        for one in totals.listed["adopted"]
    ]
    others = [(one["outcome"], one["key"]) for kind in ("missing", "refused") for one in totals.listed[kind]]
    drawn = [facts(shown), table(columns, rows, empty="Nothing to adopt.")]
    if others:
        drawn.append(table(["what", "object"], others))
    out.result(totals.document("", is_applied=is_applied), *drawn)
    if any(totals.counts[kind] > _LISTED for kind in _KINDS):
        out.say(f"Only the first {_LISTED} of each kind are listed.")
    if not is_applied:
        out.say("Nothing was changed. To do it:", "bold")
        out.say('  libctl saves reconcile --apply --reason "…"')
    elif totals.is_restore_open:
        out.warn("The database was restored again meanwhile, so deletion jobs still wait. Run this command again.")
    else:
        out.say("Done: all objects have been compared.", "green")


def _again(cursor: str, is_applied: bool) -> str:
    """This command from where it stopped; what comes before it on the command line, such as a profile, stays."""
    before = sys.argv[1 : sys.argv.index("saves")] if "saves" in sys.argv else []
    words = [*before, "saves", "reconcile", *(["--cursor", cursor] if cursor else [])]
    return f"libctl {shlex.join(words)}" + (' --apply --reason "…"' if is_applied else "")
