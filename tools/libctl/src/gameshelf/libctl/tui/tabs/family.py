"""Family links in both directions, and the seats in use."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.commands.family import link_of, scope_of, seat_of, status_of
from gameshelf.libctl.messages import plain
from gameshelf.libctl.times import day, minute
from gameshelf.libctl.tui.listing import ListedField, ListedPart, Listing, Reader, Row, Suggested, detail, listing
from gameshelf.protos.library.v1 import admin_family_pb2 as messages


def listing_of(user: UUID) -> Listing:
    """Lists seats, then links, at most the newest 100 of each direction."""

    def seats(client: Client, _: object) -> ListedPart:
        found = plain(client.call("ListFamilySeats", messages.ListFamilySeatsRequest(user_id=str(user))))
        return ListedPart([_seat(str(user), one) for one in found["seats"]])

    def links(client: Client, _: object) -> ListedPart:
        found = plain(client.call("ListFamilyLinks", messages.ListFamilyLinksRequest(user_id=str(user))))
        total = f"shares with {found['total_as_owner']}, is shared with by {found['total_as_member']}"
        return ListedPart(list(_links(user, found)), total=total)

    fields = (
        ListedField("what", 17),
        ListedField("with, or what"),
        ListedField("status", 18),
        ListedField("since", 10),
    )
    empty = "Nobody shares games with this player, nor the player with anybody."
    return listing("Family", fields, Reader("seats", seats), Reader("links", links), empty=empty)


def _links(user: UUID, found: dict[str, Any]) -> Iterator[Row]:
    for way, links, other in (
        ("shares with", found["as_owner"], "shared_with_user_id"),
        ("is shared with by", found["as_member"], "owner_user_id"),
    ):
        for one in links:
            cells = (way, one[other], status_of(one), day(one["active_since"] or one["shared_at"]))
            yield Row(one["link_id"], cells, detail(link_of(one, other)), _of_link(user, one))


def _of_link(user: UUID, one: dict[str, Any]) -> list[Suggested]:
    link = one["link_id"]
    return [
        Suggested(f"its seats and its products ({scope_of(one)})", ("family", "show", user, link)),
        Suggested("end the link, and sessions that use it", ("family", "revoke", user, link)),
        Suggested("invite the member again to a link that support ended", ("family", "reopen", user, link)),
    ]


def _seat(user: str, one: dict[str, Any]) -> Row:
    owner, product = one["owner_user_id"], one["product_id"]
    whose = "seat: own copy" if owner == user else "seat: other's"
    status = "in use" if one["session_runs"] else "session is gone"
    commands = [
        Suggested("end its session and free the seat", ("family", "release-seat", owner, product)),
        Suggested("why the player may start it, or may not", ("access", "explain", user, product)),
    ]
    cells = (whose, one["title"] or product, status, minute(one["since"])[:10])
    return Row(f"{owner} {product}", cells, detail(seat_of(one, user)), commands)
