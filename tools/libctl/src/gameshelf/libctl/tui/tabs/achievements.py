"""The achievements of a player: the products of the library, each of which opens its achievements."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.commands.achievements import bar_of, name_of, progress_of
from gameshelf.libctl.messages import plain
from gameshelf.libctl.times import minute
from gameshelf.libctl.tui.listing import (
    ListedField,
    ListedPart,
    Listing,
    Reader,
    Row,
    Suggested,
    detail,
    label,
    listing,
    paged,
)
from gameshelf.libctl.tui.tabs.library import request_of
from gameshelf.protos.library.v1 import admin_achievements_pb2 as messages
from rich.text import Text


def listing_of(user: UUID) -> Listing:
    """Lists the products; their achievements are read when one is opened."""

    def rows(found: dict[str, Any]) -> ListedPart:
        return ListedPart([_product(user, one) for one in found["items"]], total=f"{found['total_items']:,} products")

    reader = Reader("library", paged(lambda page: request_of(user, page), "ListLibrary", rows))
    return listing(
        "Achievements", (ListedField("product"), ListedField("id", 36)), reader, empty="The library is empty."
    )


def _product(user: UUID, one: dict[str, Any]) -> Row:
    product, title = one["product_id"], one["title"] or "(no title)"
    commands = [Suggested("its achievements", ("achievements", "show", user, product))]
    return Row(
        product, (title, product), Text("Enter lists its achievements.", "dim"), commands, _of(user, product, title)
    )


def _of(user: UUID, product: str, title: str) -> Listing:
    def read(client: Client, _: object) -> ListedPart:
        request = messages.ShowAchievementsRequest(user_id=str(user), product_id=product)
        found = plain(client.call("ShowAchievements", request))["achievements"]
        unlocked = sum(1 for one in found if one["status"]["unlocked_at"])
        return ListedPart([_row(user, product, one) for one in found], total=f"{unlocked:,} of {len(found):,} unlocked")

    fields = (
        ListedField("achievement"),
        ListedField("unlocked (UTC)", 16),
        ListedField("progress", 14, "right"),
        ListedField("", 12, from_columns=100),
    )
    return listing(title, fields, Reader("achievements", read), empty="This product has no achievements.")


def _row(user: UUID, product: str, one: dict[str, Any]) -> Row:
    status = one["status"]
    achievement, share = status["achievement_id"], status["rarity_percentage"]
    drawn = detail(
        label(name_of(one), achievement),
        f"unlocked {minute(status['unlocked_at'])} UTC" if status["unlocked_at"] else "locked",
        f"progress {progress_of(status)}" if progress_of(status) else "",
        f"{share:.1f}% of the owners have it" if share is not None else "",
    )
    commands = [
        Suggested("why it is not unlocked", ("achievements", "explain", user, product, achievement)),
        Suggested("unlock it", ("achievements", "grant", user, achievement)),
        Suggested("lock it again, and reset its progress", ("achievements", "revoke", user, achievement)),
    ]
    bar = bar_of(status)
    unlocked = minute(status["unlocked_at"]) or "-"
    cells = (name_of(one), unlocked, progress_of(status), bar.text() if bar else "")
    return Row(achievement, cells, drawn, commands)
