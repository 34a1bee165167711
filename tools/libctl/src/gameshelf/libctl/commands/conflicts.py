"""``libctl conflicts``: branches of saves about which nobody has said yet what becomes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import connect
from gameshelf.libctl.commands.saves import DOWNLOADED, download_to
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.history import drawn, played
from gameshelf.libctl.ids import CONFLICT_ID, PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, lines, size, table, visible
from gameshelf.libctl.shapes import Shape, answers, with_shape
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as saves
from rich.console import RenderableType
from rich.text import Text

_KEEP = {
    "local": saves.SAVE_RESOLUTION_KEEP_LOCAL,
    "cloud": saves.SAVE_RESOLUTION_KEEP_CLOUD,
    "both": saves.SAVE_RESOLUTION_KEEP_BOTH,
    "merge": saves.SAVE_RESOLUTION_MERGE,
}
_SIDES = {"head": saves.SAVE_SIDE_HEAD, "branch": saves.SAVE_SIDE_BRANCH}
_SUGGESTED = {"SAVE_SIDE_HEAD": "head", "SAVE_SIDE_BRANCH": "branch"}
_PAGE = 100
"""The number of differences in a response."""
# The fields in which the two sides are compared. Equal hashes mean equal bytes.
_LINES: tuple[tuple[str, Callable[[dict[str, Any]], object]], ...] = (
    ("version", lambda side: f"v{side['version']}"),
    ("follows", lambda side: f"v{side['parent_version']}" if side["parent_version"] else "nothing"),
    ("device", lambda side: side["device_id"]),
    ("saved by the game", lambda side: minute(side["client_modified_at"])),
    ("uploaded", lambda side: minute(side["server_uploaded_at"])),
    ("played", lambda side: played(side["playtime_seconds"])),
    ("size", lambda side: f"{size(side['file_size_bytes'])} ({side['file_size_bytes']} bytes)"),
    ("files", lambda side: side["file_count"]),
    ("SHA-256", lambda side: side["file_hash_sha256"][:12]),
    ("comment", lambda side: side["comment"]),
    ("pinned", lambda side: "yes" if side["is_pinned"] else "no"),
    ("encryption", lambda side: side["encryption"]["scheme"] if side["encryption"] else ""),
)


@noun("conflicts")
def group() -> None:
    """List, show and resolve conflicts between cloud saves of two devices."""


@group.command("list")
@click.option("--user", type=USER_ID, help="Only conflicts of this user.")
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Continue the listing at this cursor.")
@answers(messages.ListSaveConflictsResponse, "conflicts")
@click.pass_obj
def list_(out: Output, user: UUID | None, product: UUID | None, limit: int, cursor: str) -> None:
    """List open conflicts, oldest first."""
    request = messages.ListSaveConflictsRequest(
        user_id=str(user or ""), product_id=str(product or ""), limit=limit, cursor=cursor
    )
    found = plain(connect().call("ListSaveConflicts", request))
    columns = [
        Column("conflict" if user else "conflict, and whose", whole=True),
        Column("slot, product"),
        Column("open since", whole=True),
    ]
    rows = []
    for one in found["conflicts"]:
        head, branch = one["conflict"]["head"], one["conflict"]["branch"]
        whose = () if user else (f"of {one['user_id']}",)
        rows.append(
            (
                lines(one["conflict"]["conflict_id"], *whose),
                lines(head["slot_name"], one["title"] or head["product_id"]),
                lines(minute(one["conflict"]["opened_at"]), f"v{head['version']} beside v{branch['version']}"),
            )
        )
    out.result(found, table(columns, rows, empty="No open conflicts."))
    if found["conflicts"]:
        first = found["conflicts"][0]
        out.say(f"To compare both sides: libctl conflicts show {first['user_id']} {first['conflict']['conflict_id']}")
    if found["next_cursor"]:
        out.say(f"More: --cursor {found['next_cursor']}")
    if user and not found["conflicts"]:
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("conflict", type=CONFLICT_ID)
@click.option("--download", type=click.Choice(["local", "cloud"]), help="Download this side to a file instead.")
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="File that --download writes.")
@click.option("--all", "whole", is_flag=True, help="Show all files that differ, not only the first hundred.")
@with_shape(Shape(messages.ShowSaveConflictResponse, or_else=DOWNLOADED))
@click.pass_obj
def show(out: Output, user: UUID, conflict: UUID, download: str | None, to: Path | None, whole: bool) -> None:
    """Show both sides of a conflict, the versions that led to them and the files that differ."""
    if to and not download:
        raise Usage("--to needs --download", "--download local or --download cloud")
    request = messages.ShowSaveConflictRequest(user_id=str(user), conflict_id=str(conflict))
    client = connect()
    found = plain(client.call("ShowSaveConflict", request))
    head, branch = found["conflict"]["head"], found["conflict"]["branch"]
    while whole and len(found["differences"]) < found["conflict"]["differences_count"]:
        request.differences_page = len(found["differences"]) // _PAGE + 1
        more = plain(client.call("ShowSaveConflict", request))["differences"]
        if not more:
            break
        found["differences"] += more
    if download:
        side = branch if download == "local" else head
        download_to(out, user, side["savegame_id"], side["version"], to)
        return
    shown = {
        "slot": head["slot_name"],
        "product": found["title"] or head["product_id"],
        "open since": minute(found["conflict"]["opened_at"]),
    }
    is_of_sets = head["file_count"] is not None and branch["file_count"] is not None
    parts = [units_of(found)] if is_of_sets else []
    out.result(found, facts(shown), beside(head, branch), *parts, drawn(found["versions"]))
    save, verb = head["savegame_id"], "files" if is_of_sets else "download"
    out.say("To list the files of a side:" if is_of_sets else "To download a side:")
    out.say(f"  cloud: libctl saves {verb} {user} {save} --version {head['version']}")
    out.say(f"  local: libctl saves {verb} {user} {save} --version {branch['version']}")
    left = found["conflict"]["differences_count"] - len(found["differences"])
    if left > 0:
        out.say(f"{left} more files differ: --all")
    ways = "local|cloud|both|merge" if is_of_sets else "local|cloud|both"
    out.say(f"To resolve it: libctl conflicts resolve {user} {conflict} --keep {ways}")
    unnamed = dict.fromkeys(one["unit"] for one in found["differences"] if one["suggested"] not in _SUGGESTED)
    if is_of_sets and unnamed:
        out.say(f"A merge has to name a side of: {', '.join(unnamed)}")


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("conflict", type=CONFLICT_ID)
@click.option(
    "--keep",
    type=click.Choice(list(_KEEP)),
    required=True,
    help="Keep the branch (local), the head (cloud), or both; or merge them by units.",
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="NAME=head|branch",
    help="With --keep merge: the side to keep of a unit. Once for each unit that both sides have changed.",
)
@click.option("--name", help="Slot name for the branch as its own save, with --keep both.")
@player_change("user", "conflict")
def resolve(
    out: Output,
    user: UUID,
    conflict: UUID,
    keep: str,
    units: tuple[str, ...],
    name: str | None,
) -> ChangeCall:
    """Resolve a conflict on the player's behalf. The other side stays in the history."""
    if name and keep != "both":
        raise Usage("--name needs --keep both", "omit --name")
    if units and keep != "merge":
        raise Usage("--unit needs --keep merge", "omit --unit")
    request = messages.ResolveSaveConflictRequest(
        user_id=str(user), conflict_id=str(conflict), resolution=_KEEP[keep], copy_slot_name=name or ""
    )
    for unit, side in map(_unit, units):
        request.units[unit] = side

    def conclude(outcome: dict[str, Any]) -> None:
        before = outcome["before"]
        if keep == "both":
            out.say("Both sides stay, each as its own save. A resolution cannot be undone.")
            return
        lost = before["branch" if keep == "cloud" else "head"]["version"]
        when_done = "To undo it" if outcome["applied"] else "To undo it afterwards"
        out.say(f"{when_done}: libctl saves restore {user} {before['savegame_id']} --version {lost}")

    return ChangeCall("ResolveSaveConflict", request, conclude=conclude)


def _unit(said: str) -> tuple[str, Any]:
    """A unit and its side, of ``NAME=head``; a name may have equals signs."""
    unit, _, side = said.rpartition("=")
    if not unit or side not in _SIDES:
        raise Usage(f"--unit {said} names no side", "--unit NAME=head or --unit NAME=branch")
    return unit, _SIDES[side]


def units_of(found: dict[str, Any]) -> RenderableType:
    """The files that differ, by units."""
    rows = [
        (
            one["unit"],
            one["kind"].replace("_", " "),
            _SUGGESTED.get(one["suggested"], "?"),
            lines(one["path"], *(f"{name} {_bytes(one[name])}" for name in ("base", "head", "branch"))),
        )
        for one in found["differences"]
    ]
    return table(["unit", "what happened", "suggested", Column("file")], rows, empty="No file differs.")


def _bytes(side: dict[str, Any] | None) -> str:
    if side is None:
        return "-"
    return " ".join(filter(None, (size(side["size_bytes"]), side["sha256"][:12], minute(side["modified_at"]))))


def beside(head: dict[str, Any], branch: dict[str, Any]) -> RenderableType:
    """The two sides next to each other; where they differ stands out."""
    rows = []
    for name, say in _LINES:
        sides = [visible(say(head)), visible(say(branch))]
        style = "bold yellow" if sides[0] != sides[1] else ""
        if any(sides):
            rows.append([Text("≠" if style else "", style=style), name, *(Text(side, style=style) for side in sides)])
    return table(["", "", "cloud (the head)", "local (the branch)"], rows)
