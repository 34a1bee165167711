"""The playtime of a player, by product."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.charts import Bar, Sparkline, share_of
from gameshelf.libctl.client import Client
from gameshelf.libctl.commands.playtime import days_of
from gameshelf.libctl.messages import plain
from gameshelf.libctl.times import day, hours, minute, span
from gameshelf.libctl.tui.listing import (
    LIMIT,
    ListedField,
    ListedPart,
    Listing,
    Reader,
    Row,
    Suggested,
    detail,
    label,
    listing,
)
from gameshelf.protos.library.v1 import admin_playtime_pb2 as messages

_BAR = 20


def listing_of(user: UUID) -> Listing:
    """Lists the totals."""

    def products(client: Client, page: int | None) -> ListedPart:
        number = page or 1
        request = messages.ShowPlaytimeRequest(user_id=str(user), page=number, limit=LIMIT)
        found = plain(client.call("ShowPlaytime", request))
        total = found["total_products"]
        following = number + 1 if total > number * LIMIT else None
        most = max((one["total_seconds"] for one in found["products"]), default=0)
        rows = [_row(user, one, most) for one in found["products"]]
        return ListedPart(rows, following, " · ".join([f"{total:,} products", *_recent(found)]))

    fields = (
        ListedField("product"),
        ListedField("total", 16, "right"),
        ListedField("", _BAR, from_columns=120),
        ListedField("corrected", 16, "right"),
        ListedField("last", 10),
    )
    return listing("Playtime", fields, Reader("products", products), empty="Nothing was played.")


def _recent(found: dict[str, Any]) -> list[str]:
    """The play of the last two weeks in a few characters; a service of an earlier version sends no days."""
    days = days_of(found)[-14:]
    return [f"last 14 days {Sparkline(days).text()} {hours(sum(days))}"] if days else []


def _row(user: UUID, one: dict[str, Any], most: int) -> Row:
    product = one["product_id"]
    corrected = span(one["corrected_seconds"], signed=True) if one["corrected_seconds"] else ""
    drawn = detail(
        label(one["title"], product),
        f"{span(one['total_seconds'])} in total, {span(one['recent_seconds'])} of them in the last two weeks",
        f"corrected by {corrected}; its sessions have {span(one['played_seconds'])}" if corrected else "",
        f"{one['session_count']:,} sessions, last played {minute(one['last_played_at']) or 'never'}",
    )
    commands = [
        Suggested("its sessions and imports", ("playtime", "show", user, "--product", product, "--imports")),
        Suggested("take time off the total", ("playtime", "correct", user, product, "--take", "TIME")),
        Suggested("add time to the total", ("playtime", "correct", user, product, "--add", "TIME")),
        Suggested("compute the total again", ("playtime", "recompute", user, "--product", product)),
    ]
    bar = Bar(share_of(one["total_seconds"], most), _BAR).text()
    total, last = span(one["total_seconds"]), day(one["last_played_at"])
    return Row(product, (one["title"] or "(no title)", total, bar, corrected, last), drawn, commands)
