"""The products that a player has or had."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.commands.library import access_of, branch_of
from gameshelf.libctl.times import day, span
from gameshelf.libctl.tui.listing import (
    LIMIT,
    ListedField,
    ListedPart,
    Listing,
    Reader,
    Row,
    Suggested,
    detail,
    listing,
    paged,
)
from gameshelf.protos.library.v1 import admin_library_pb2 as messages
from rich.text import Text


def listing_of(user: UUID) -> Listing:
    """Lists the library, shared products too, with the grants of each."""

    def rows(found: dict[str, Any]) -> ListedPart:
        return ListedPart([_row(user, one) for one in found["items"]], total=f"{found['total_items']:,} products")

    fields = (
        ListedField("product"),
        ListedField("access", 18),
        ListedField("since", 10),
        ListedField("played", 15, "right"),
    )
    reader = Reader("library", paged(lambda page: request_of(user, page), "ListLibrary", rows))
    return listing("Library", fields, reader, empty="The library is empty.")


def request_of(user: UUID, page: int) -> messages.ListLibraryRequest:
    """A page of the library."""
    return messages.ListLibraryRequest(user_id=str(user), page=page, limit=LIMIT)


def _row(user: UUID, one: dict[str, Any]) -> Row:
    product = one["product_id"]
    access = Text(access_of(one), style="green" if one["added_at"] else "red")
    played = span(one["total_playtime_seconds"]) if one["total_playtime_seconds"] else ""
    cells = (one["title"] or "(no title)", access, day(one["added_at"]), played)
    return Row(product, cells, detail(branch_of(one)), list(_commands(user, product, one)))


def _commands(user: UUID, product: str, one: dict[str, Any]) -> list[Suggested]:
    may = [
        Suggested("why the player may play it, or may not", ("access", "explain", user, product)),
        Suggested("grant it on behalf of support", ("library", "grant", user, product)),
        Suggested("revoke it: end all its grants", ("library", "revoke", user, product)),
    ]
    grants = [
        Suggested(
            f"end only the grant of {grant['kind']} {grant['source_id']}",
            ("library", "revoke", user, product, "--kind", grant["kind"], "--source", grant["source_id"]),
        )
        for grant in one["grants"]
        if not grant["ended_at"]
    ]
    return may + (grants if len(grants) > 1 else [])
