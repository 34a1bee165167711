"""REST of family sharing (contract, section 3.2)."""

from uuid import UUID

from gameshelf.gateway.domains.family.resources import FAMILY_LINK, FAMILY_SEAT
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.library import (
    FamilyLinkNotFound,
    FamilyLinks,
    FamilyQueries,
    LinkChanges,
    LinkFilter,
    NewLink,
)

routes = Routes(
    "family",
    "Family sharing: links between an owner and a member, and the seats of shared copies.",
    {"link_id": ("Id of the link.", "1679091c-5a88-4faf-9fb5-e6087eb1b2dc")},
)

_STATE = ("FAMILY_LINK_NOT_FOUND", "FAMILY_SHARING_LINK_INVALID_STATE")


@routes.read("/family/links", query=LinkFilter, answers=FAMILY_LINK.collection("/family/links"))
async def list_links(read: Read, query: LinkFilter) -> Reply:
    """Lists the family links.

    Returns a page of the links of the user, as owner and as member, the newest first.
    """
    found = await read.of(FamilyQueries).links(read.user_id, query, read.now)
    shown = [FAMILY_LINK.render(one, read.user_id) for one in found.items]
    return Reply(200, render_collection(f"{BASE}/family/links", parameters(query), shown, found.total, query.slice))


@routes.read("/family/links/<uuid:link_id>", answers=FAMILY_LINK.document, refuses=("FAMILY_LINK_NOT_FOUND",))
async def get_link(read: Read, link_id: UUID) -> Reply:
    """Returns a family link.

    Only the owner and the member see a link; for everybody else it does not exist.
    """
    found = await read.of(FamilyQueries).link(read.user_id, link_id, read.now)
    if found is None:
        raise FamilyLinkNotFound
    return ok({"data": FAMILY_LINK.render(found, read.user_id)})


@routes.write(
    "POST",
    "/family/links",
    body=NewLink,
    example={
        "shared_with_user_id": "c4ca4238-a0b9-4382-8dcc-509a6f75849b",
        "mode": "only",
        "product_ids": ["0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"],
    },
    answers=FAMILY_LINK.document,
    status=201,
    refuses=("FAMILY_SHARING_LINK_INVALID_STATE", "FAMILY_LIMIT_EXCEEDED"),
)
async def invite_member(write: Write, body: NewLink) -> Reply:
    """Invites a member.

    Offers games to another user, who has to accept. An owner may have `FAMILY_MAX_MEMBERS` links that are active or
    pending, and may invite the same user three times in 24 hours.
    """
    made = await write.of(FamilyLinks).invite(write.user_id, body)
    return ok({"data": FAMILY_LINK.render(made, write.user_id)}, status=201)


@routes.write(
    "PATCH",
    "/family/links/<uuid:link_id>",
    body=LinkChanges,
    example={"expires_at": "2027-01-01T00:00:00Z"},
    answers=FAMILY_LINK.document,
    refuses=_STATE,
)
async def update_link(write: Write, link_id: UUID, body: LinkChanges) -> Reply:
    """Changes the shared games of a link.

    Only the owner may do so. A field that is left out stays as it is.
    """
    changed = await write.of(FamilyLinks).change(write.user_id, link_id, body)
    return ok({"data": FAMILY_LINK.render(changed, write.user_id)})


@routes.write(
    "POST",
    "/family/links/<uuid:link_id>/accept",
    answers=FAMILY_LINK.document,
    refuses=(*_STATE, "FAMILY_LIMIT_EXCEEDED"),
)
async def accept_link(write: Write, link_id: UUID) -> Reply:
    """Accepts an invitation.

    Only the member may do so. The shared games are in their library at once.
    """
    accepted = await write.of(FamilyLinks).accept(write.user_id, link_id)
    return ok({"data": FAMILY_LINK.render(accepted, write.user_id)})


@routes.write("POST", "/family/links/<uuid:link_id>/decline", answers=FAMILY_LINK.document, refuses=_STATE)
async def decline_link(write: Write, link_id: UUID) -> Reply:
    """Declines an invitation.

    Only the member may do so.
    """
    declined = await write.of(FamilyLinks).decline(write.user_id, link_id)
    return ok({"data": FAMILY_LINK.render(declined, write.user_id)})


@routes.write("POST", "/family/links/<uuid:link_id>/revoke", answers=FAMILY_LINK.document, refuses=_STATE)
async def revoke_link(write: Write, link_id: UUID) -> Reply:
    """Ends a link.

    The owner or the member may do so. Running sessions on shared copies end at once.
    """
    revoked = await write.of(FamilyLinks).revoke(write.user_id, link_id)
    return ok({"data": FAMILY_LINK.render(revoked, write.user_id)})


@routes.read("/family/seats", answers=FAMILY_SEAT.listing)
async def list_seats(read: Read) -> Reply:
    """Lists the seats that are taken.

    Shows who plays shared copies now: copies of the user, and copies of owners who share with them.
    """
    found = await read.of(FamilyQueries).seats(read.user_id)
    return ok({"data": await with_titles(read, [FAMILY_SEAT.render(one, read.user_id) for one in found])})
