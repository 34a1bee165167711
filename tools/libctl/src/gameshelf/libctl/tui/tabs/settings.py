"""The games of which a player has settings in the cloud."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.commands.settings import layers_of
from gameshelf.libctl.times import minute
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
    paged,
)
from gameshelf.protos.library.v1 import admin_settings_pb2 as messages


def listing_of(user: UUID) -> Listing:
    """Lists the games, the last changed first."""

    def request(page: int) -> messages.ListSettingsOfUserRequest:
        return messages.ListSettingsOfUserRequest(user_id=str(user), page=page, limit=LIMIT)

    def rows(found: dict[str, Any]) -> ListedPart:
        return ListedPart([_row(user, one) for one in found["games"]], total=f"{found['total_items']:,} games")

    fields = (ListedField("product"), ListedField("layers", 20), ListedField("changed (UTC)", 16))
    reader = Reader("settings", paged(request, "ListSettingsOfUser", rows))
    return listing("Settings", fields, reader, empty="No game has settings.")


def _row(user: UUID, one: dict[str, Any]) -> Row:
    of = one["settings"]
    product = of["product_id"]
    drawn = detail(
        label(one["title"], product),
        layers_of(of),
        f"changed {minute(of['last_updated_at'])} UTC" if of["last_updated_at"] else "",
        f"read by a device {minute(of['last_synced_with_cloud_at'])} UTC" if of["last_synced_with_cloud_at"] else "",
    )
    commands = [
        Suggested("what they are now", ("settings", "show", user, product)),
        Suggested("what they were, up to 30 days ago", ("settings", "history", user, product)),
        Suggested("write again what they were at a revision", ("settings", "restore", user, product, "REVISION")),
    ]
    return Row(product, (one["title"] or "(no title)", layers_of(of), minute(of["last_updated_at"])), drawn, commands)
