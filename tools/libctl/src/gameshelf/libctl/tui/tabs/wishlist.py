"""What a player wishes for."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.commands.wishlist import price_of, wanted_by
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
from gameshelf.protos.library.v1 import admin_wishlist_pb2 as messages


def listing_of(user: UUID) -> Listing:
    """Lists the wishes, with conditions and current prices."""

    def request(page: int) -> messages.ShowWishlistRequest:
        return messages.ShowWishlistRequest(user_id=str(user), page=page, limit=LIMIT)

    def rows(found: dict[str, Any]) -> ListedPart:
        return ListedPart([_row(user, one) for one in found["items"]], total=f"{found['total_items']:,} products")

    fields = (ListedField("product"), ListedField("notify of", 24), ListedField("price now", 20))
    reader = Reader("wishlist", paged(request, "ShowWishlist", rows))
    return listing("Wishlist", fields, reader, empty="The wishlist is empty.")


def _row(user: UUID, one: dict[str, Any]) -> Row:
    product = one["product_id"]
    price = price_of(one["price"]) if one["price"] else "not known"
    drawn = detail(
        label(one["title"], product),
        f"added {minute(one['added_at'])} UTC",
        f"wants to be notified of {wanted_by(one)}",
        f"price now: {price}",
    )
    commands = [Suggested("why the player was notified, or was not", ("wishlist", "explain", user, product))]
    return Row(product, (one["title"] or "(no title)", wanted_by(one), price), drawn, commands)
