"""REST of family sharing (contract, section 3.2)."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.family.resources import FAMILY_LINK, FAMILY_SEAT
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.library import (
    Direction,
    FamilyLinkNotFound,
    FamilyLinks,
    FamilyQueries,
    Link,
    LinkChanges,
    LinkFilter,
    NewLink,
    TakenSeat,
)

routes = Routes("family")

_STATE = ("FAMILY_LINK_NOT_FOUND", "FAMILY_SHARING_LINK_INVALID_STATE")


@routes.read("/family/links", query=LinkFilter, answers=schemas.collection(FAMILY_LINK))
async def list_links(read: Read, query: LinkFilter) -> Reply:
    """The player's family links, as owner and as member, the newest first."""
    found = await read.of(FamilyQueries).links(read.user_id, query, read.now)
    shown = [link(one, read.user_id) for one in found.items]
    return Reply(200, collection(f"{BASE}/family/links", parameters(query), shown, found.total, query.slice))


@routes.read("/family/links/<uuid:link_id>", answers=schemas.single(FAMILY_LINK), refuses=("FAMILY_LINK_NOT_FOUND",))
async def get_link(read: Read, link_id: UUID) -> Reply:
    """One family link."""
    found = await read.of(FamilyQueries).link(read.user_id, link_id, read.now)
    if found is None:
        raise FamilyLinkNotFound
    return ok({"data": link(found, read.user_id)})


@routes.write(
    "POST",
    "/family/links",
    body=NewLink,
    answers=schemas.single(FAMILY_LINK),
    status=201,
    refuses=("FAMILY_SHARING_LINK_INVALID_STATE", "FAMILY_LIMIT_EXCEEDED"),
)
async def invite_member(write: Write, body: NewLink) -> Reply:
    """Offers games to somebody, who has to accept."""
    made = await write.of(FamilyLinks).invite(write.user_id, body)
    return ok({"data": link(made, write.user_id)}, status=201)


@routes.write(
    "PATCH",
    "/family/links/<uuid:link_id>",
    body=LinkChanges,
    answers=schemas.single(FAMILY_LINK),
    refuses=_STATE,
)
async def update_link(write: Write, link_id: UUID, body: LinkChanges) -> Reply:
    """Changes what is shared, and until when; the owner's."""
    changed = await write.of(FamilyLinks).change(write.user_id, link_id, body)
    return ok({"data": link(changed, write.user_id)})


@routes.write(
    "POST",
    "/family/links/<uuid:link_id>/accept",
    answers=schemas.single(FAMILY_LINK),
    refuses=(*_STATE, "FAMILY_LIMIT_EXCEEDED"),
)
async def accept_link(write: Write, link_id: UUID) -> Reply:
    """Takes an offer: the games are in the member's library at once."""
    accepted = await write.of(FamilyLinks).accept(write.user_id, link_id)
    return ok({"data": link(accepted, write.user_id)})


@routes.write("POST", "/family/links/<uuid:link_id>/decline", answers=schemas.single(FAMILY_LINK), refuses=_STATE)
async def decline_link(write: Write, link_id: UUID) -> Reply:
    """Refuses an offer."""
    declined = await write.of(FamilyLinks).decline(write.user_id, link_id)
    return ok({"data": link(declined, write.user_id)})


@routes.write("POST", "/family/links/<uuid:link_id>/revoke", answers=schemas.single(FAMILY_LINK), refuses=_STATE)
async def revoke_link(write: Write, link_id: UUID) -> Reply:
    """Ends sharing: the owner takes it back, or the member leaves. What is played of it ends at once."""
    revoked = await write.of(FamilyLinks).revoke(write.user_id, link_id)
    return ok({"data": link(revoked, write.user_id)})


@routes.read("/family/seats", answers=schemas.listing(schemas.named(FAMILY_SEAT)))
async def list_seats(read: Read) -> Reply:
    """Who plays shared copies now: the player's own ones, and those of owners who share with them."""
    found = await read.of(FamilyQueries).seats(read.user_id)
    return ok({"data": await with_titles(read, [seat(one, read.user_id) for one in found])})


def link(of: Link, user_id: UUID) -> dict[str, Any]:
    """The resource ``familyLink`` as one of its parties sees it."""
    return {
        "type": "familyLink",
        "id": of.id,
        "attributes": {
            "owner_user_id": of.owner_user_id,
            "shared_with_user_id": of.shared_with_user_id,
            "direction": Direction.OWNER if of.owner_user_id == user_id else Direction.MEMBER,
            "status": of.status,
            "mode": of.mode,
            "product_ids": list(of.product_ids),
            "expires_at": of.expires_at,
            "shared_at": of.shared_at,
            "active_since": of.active_since,
            "last_access_at": of.last_access_at,
            "created_at": of.created_at,
            "updated_at": of.updated_at,
        },
        "links": {"self": f"{BASE}/family/links/{of.id}"},
    }


def seat(of: TakenSeat, user_id: UUID) -> dict[str, Any]:
    """The resource ``familySeat``. A session's id is its player's affair."""
    return {
        "type": "familySeat",
        "id": f"{of.owner_user_id}:{of.product_id}",
        "attributes": {
            "owner_user_id": of.owner_user_id,
            "product_id": of.product_id,
            "held_by_user_id": of.held_by_user_id,
            "session_id": of.session_id if of.held_by_user_id == user_id else None,
            "since": of.since,
            "seat_number": of.seat_number,
            "lost_at": of.lost_at,
        },
    }
