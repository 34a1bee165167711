"""``libctl quota``: how much room a user's saves take, and may take."""

import heapq
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.charts import Bar
from gameshelf.libctl.client import connect
from gameshelf.libctl.comparison import COMPARED, Comparison
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import ExitCode, Refused
from gameshelf.libctl.ids import USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, size, table
from gameshelf.libctl.progress import progress
from gameshelf.libctl.shapes import answers, with_shape
from gameshelf.libctl.sizes import Size
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages

_BAR, _SHORT_BAR = 24, 8


@noun("quota")
def group() -> None:
    """Show, set and check a user's quota for cloud saves."""


@group.command()
@click.argument("user", type=USER_ID)
@answers(messages.ShowQuotaResponse, "products")
@click.pass_obj
def show(out: Output, user: UUID) -> None:
    """Show used and available storage, per product."""
    quota = connect().call("ShowQuota", messages.ShowQuotaRequest(user_id=str(user)))
    taken = quota.used_bytes + quota.reserved_bytes
    limit = f"{size(quota.limit_bytes)} ({'set by support' if quota.is_override else 'default'})"
    used = f"{size(taken)} of {size(quota.limit_bytes)}  "
    shown = {
        "used": _bar(taken, quota.limit_bytes, before=used),
        "limit": limit,
        "reserved by uploads": size(quota.reserved_bytes),
    }
    rows = [
        (
            product.title or product.product_id,
            size(product.used_bytes + product.reserved_bytes),
            _bar(product.used_bytes + product.reserved_bytes, quota.limit_bytes),
        )
        for product in quota.products
    ]
    columns = [Column("product"), Column("used", "right"), Column("of the limit")]
    out.result(plain(quota), facts(shown), table(columns, rows, empty="No saves."))
    if not (taken or quota.is_override):
        doubt(out, user)


@group.command("set")
@click.argument("user", type=USER_ID)
@click.argument("limit", type=Size())
@player_change("user")
def set_(out: Output, user: UUID, limit: int) -> ChangeCall:
    """Set an individual limit, such as 2GiB. Existing saves stay, even above it."""
    return ChangeCall("SetQuota", messages.SetQuotaRequest(user_id=str(user), limit_bytes=limit))


@group.command()
@click.argument("user", type=USER_ID)
@player_change("user")
def reset(out: Output, user: UUID) -> ChangeCall:
    """Return a user to the default limit."""
    return ChangeCall("ResetQuota", messages.ResetQuotaRequest(user_id=str(user)))


@group.command()
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Number of users to show.")
@click.option("--cursor", default="", help="Resume an interrupted listing at this cursor.")
@answers(messages.ListTopQuotasResponse, "users")
@click.pass_obj
def top(out: Output, limit: int, cursor: str) -> None:
    """List the users with the most storage in use. Reads all users in parts; Ctrl-C shows what was found so far."""
    client, looked_at = connect(), 0
    most: list[tuple[int, str, dict[str, Any]]] = []  # a heap: who takes least of them is the first to go
    try:
        with progress(out, "reading users") as report:
            while True:
                part = client.call("ListTopQuotas", messages.ListTopQuotasRequest(limit=limit, cursor=cursor))
                for one in part.users:
                    heapq.heappush(most, (one.used_bytes, one.user_id, plain(one)))
                while len(most) > limit:
                    heapq.heappop(most)
                cursor, looked_at = part.next_cursor, looked_at + part.looked_at
                report(str(looked_at))
                if not cursor:
                    break
    except (KeyboardInterrupt, Refused):
        if cursor and looked_at:
            _show_top(out, most, looked_at, cursor)
            out.say(f"Incomplete. To resume: --cursor {cursor}")
        raise
    _show_top(out, most, looked_at, cursor)


def _show_top(out: Output, most: list[tuple[int, str, dict[str, Any]]], looked_at: int, cursor: str) -> None:
    users = [one for _, _, one in sorted(most, key=lambda entry: (-entry[0], entry[1]))]
    rows = [
        (
            one["user_id"],
            size(one["used_bytes"]),
            size(one["limit_bytes"]) + (" (set by support)" if one["is_override"] else ""),
            _bar(one["used_bytes"], one["limit_bytes"], _SHORT_BAR),
        )
        for one in users
    ]
    columns = [Column("user", whole=True), Column("used", "right"), Column("limit"), Column("of the limit")]
    data = {"users": users, "looked_at": looked_at, "next_cursor": cursor}
    out.result(data, table(columns, rows, empty="Nobody has saves."))
    out.say(f"Users with saves: {looked_at}.")


@group.command()
@click.argument("user", type=USER_ID)
@click.option("--cursor", default="", help="Resume an interrupted comparison at this cursor.")
@with_shape(COMPARED)
@click.pass_obj
def recalculate(out: Output, user: UUID, cursor: str) -> int:
    """Compare the database with the objects in S3. Changes nothing.

    Exit code 1 if objects are missing, unknown or of another size.
    """
    client, found = connect(), Comparison()
    try:
        with progress(out, "comparing objects") as report:
            while True:
                request = messages.RecalculateQuotaRequest(user_id=str(user), cursor=cursor)
                part = client.call("RecalculateQuota", request)
                found.add(part)
                cursor = part.next_cursor
                report(str(found.sums["stored_objects"]))
                if not cursor:
                    break
    except (KeyboardInterrupt, Refused):
        if cursor and found.parts:
            out.result(found.data(cursor), *found.drawn())
            out.say(f"Incomplete. To resume: --cursor {cursor}")
        raise
    out.result(found.data(cursor), *found.drawn())
    if not (found.sums["counted_objects"] or found.sums["stored_objects"]):
        doubt(out, user)
    return ExitCode.OK if found.is_right else ExitCode.FAILED


def _bar(taken: int, limit: int, width: int = _BAR, before: str = "") -> Bar:
    """Draws the used part of a limit."""
    part = taken / limit if limit else 1.0
    style = "red" if part >= 0.95 else "yellow" if part >= 0.8 else "green"
    return Bar(part, width, style, has_track=True, before=before, after=f" {part:4.0%}")
