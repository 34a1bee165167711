"""The playtime of a player, by product."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.messages import plain
from gameshelf.libctl.times import day, minute, span
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


def listing_of(user: UUID) -> Listing:
    """Lists the totals."""

    def products(client: Client, page: int | None) -> ListedPart:
        number = page or 1
        request = messages.ShowPlaytimeRequest(user_id=str(user), page=number, limit=LIMIT)
        found = plain(client.call("ShowPlaytime", request))
        total = found["total_products"]
        following = number + 1 if total > number * LIMIT else None
        return ListedPart([_row(user, one) for one in found["products"]], following, f"{total:,} products")

    fields = (
        ListedField("product"),
        ListedField("total", 16, "right"),
        ListedField("corrected", 16, "right"),
        ListedField("last", 10),
    )
    return listing("Playtime", fields, Reader("products", products), empty="Nothing was played.")


def _row(user: UUID, one: dict[str, Any]) -> Row:
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
    cells = (one["title"] or "(no title)", span(one["total_seconds"]), corrected, day(one["last_played_at"]))
    return Row(product, cells, drawn, commands)
