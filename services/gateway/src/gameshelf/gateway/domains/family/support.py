"""``family list|show|revoke|reopen|seats|release-seat``: links between users, and seats in use."""

from collections.abc import Collection, Sequence
from itertools import groupby
from uuid import UUID

from gameshelf.gateway.domains.family.changes import ReleaseSeat, ReopenLink, RevokeLink, undo_reopen, undo_revoke
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.changes import Options, StateChanged
from gameshelf.gateway.runtime.support.commands import ADMIN, ANY, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import ResourceNotFound
from gameshelf.kernel.paging import MAX_LIMIT
from gameshelf.library import Direction, FamilyLinkNotFound, FamilyQueries, Link, LinkFilter, TakenSeat
from gameshelf.playtime import CopyQueries
from gameshelf.protos.library.v1 import admin_family_pb2 as messages
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeResult

COMMANDS = (
    read_command("family list", "ListFamilyLinks"),
    read_command("family show", "ShowFamilyLink"),
    change_command("family revoke", "RevokeFamilyLink", ADMIN, undo_revoke),
    change_command("family reopen", "ReopenFamilyLink", ADMIN, undo_reopen),
    read_command("family seats", "ListFamilySeats"),
    change_command("family release-seat", "ReleaseFamilySeat", ANY),
)


class _SeatIsFree(ResourceNotFound):
    """No seat of this copy is in use."""


class Families:
    """Serves family links and seats."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListFamilyLinks(
        self, request: messages.ListFamilyLinksRequest, by: Identity
    ) -> messages.ListFamilyLinksResponse:
        user_id, now = parse_id(request.user_id, "user_id"), self._context.clock()
        async with self._context.reading(user_id) as connection:
            owner, member = [
                await FamilyQueries(connection).links(user_id, LinkFilter(direction=side, limit=MAX_LIMIT), now)
                for side in (Direction.OWNER, Direction.MEMBER)
            ]
        return messages.ListFamilyLinksResponse(
            as_owner=[_link(one) for one in owner.items],
            as_member=[_link(one) for one in member.items],
            total_as_owner=owner.total,
            total_as_member=member.total,
        )

    async def ShowFamilyLink(
        self, request: messages.ShowFamilyLinkRequest, by: Identity
    ) -> messages.ShowFamilyLinkResponse:
        user_id, link_id = parse_id(request.user_id, "user_id"), parse_id(request.link_id, "link_id")
        async with self._context.reading(user_id) as connection:
            link = await self._found(connection, user_id, link_id)
            held = await FamilyQueries(connection).held_seats(link.owner_user_id, link.shared_with_user_id)
            seats = await _seats(self._context, connection, held)
            titles = await self._context.titles(connection, link.product_ids)
        by_title = sorted(titles.items(), key=lambda one: (one[1].casefold(), one[0]))
        products = [messages.ScopedProduct(product_id=str(key), title=title) for key, title in by_title]
        return messages.ShowFamilyLinkResponse(link=_link(link), seats=seats, products=products)

    async def RevokeFamilyLink(
        self, request: messages.RevokeFamilyLinkRequest, by: Identity
    ) -> messages.RevokeFamilyLinkResponse:
        options, (owner_id, link_id) = parse_options(request.change), await self._of_owner(request)
        done = await self._context.make_change(RevokeLink(owner_id, link_id), options, by)
        return messages.RevokeFamilyLinkResponse(result=done)

    async def ReopenFamilyLink(
        self, request: messages.ReopenFamilyLinkRequest, by: Identity
    ) -> messages.ReopenFamilyLinkResponse:
        options, (owner_id, link_id) = parse_options(request.change), await self._of_owner(request)
        done = await self._context.make_change(ReopenLink(owner_id, link_id), options, by)
        return messages.ReopenFamilyLinkResponse(result=done)

    async def ListFamilySeats(
        self, request: messages.ListFamilySeatsRequest, by: Identity
    ) -> messages.ListFamilySeatsResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.reading(user_id) as connection:
            seats = await _seats(self._context, connection, await FamilyQueries(connection).seats_concerning(user_id))
        return messages.ListFamilySeatsResponse(seats=seats)

    async def ReleaseFamilySeat(
        self, request: messages.ReleaseFamilySeatRequest, by: Identity
    ) -> messages.ReleaseFamilySeatResponse:
        options = parse_options(request.change)
        owner_id, product_id = (parse_id(getattr(request, name), name) for name in ("owner_user_id", "product_id"))
        try:
            done = await self._release(owner_id, product_id, options, by)
        except (_SeatIsFree, StateChanged):
            # Who held a seat that was released already is only known to the audit; the revision names their session.
            target = {"product_id": product_id}
            made = await self._context.change_made_before(ReleaseSeat.command, target, options, by)
            if made is None:
                raise
            done = made
        return messages.ReleaseFamilySeatResponse(result=done)

    async def _release(self, owner_id: UUID, product_id: UUID, options: Options, by: Identity) -> ChangeResult:
        """Releases a seat. Raises _SeatIsFree, and the errors of ``make_change``."""
        async with self._context.reading(owner_id) as connection:
            seat = await FamilyQueries(connection).seat(owner_id, product_id)
        if seat is None:
            raise _SeatIsFree(reason="seat_is_free")
        change = ReleaseSeat(seat.held_by_user_id, owner_id, product_id, seat.session_id)
        return await self._context.make_change(change, options, by)

    async def _of_owner(
        self, request: messages.RevokeFamilyLinkRequest | messages.ReopenFamilyLinkRequest
    ) -> tuple[UUID, UUID]:
        """Returns owner and id of a link of either party. Raises InvalidInput, UserErased, FamilyLinkNotFound."""
        user_id, link_id = parse_id(request.user_id, "user_id"), parse_id(request.link_id, "link_id")
        async with self._context.reading(user_id) as connection:
            link = await self._found(connection, user_id, link_id)
        return link.owner_user_id, link.id

    async def _found(self, connection: Connection, user_id: UUID, link_id: UUID) -> Link:
        link = await FamilyQueries(connection).link(user_id, link_id, self._context.clock())
        if link is None:
            raise FamilyLinkNotFound
        return link


def _link(of: Link) -> messages.AdminFamilyLink:
    return messages.AdminFamilyLink(
        link_id=str(of.id),
        owner_user_id=str(of.owner_user_id),
        shared_with_user_id=str(of.shared_with_user_id),
        status=of.status,
        mode=of.mode,
        product_ids=[str(one) for one in of.product_ids],
        expires_at=timestamp(of.expires_at),
        shared_at=timestamp(of.shared_at),
        active_since=timestamp(of.active_since),
        last_access_at=timestamp(of.last_access_at),
        updated_at=timestamp(of.updated_at),
    )


async def _seats(
    context: SupportContext, connection: Connection, seats: Sequence[TakenSeat]
) -> list[messages.AdminFamilySeat]:
    """Seats with titles, and whether their sessions run: one round trip per holder, and one for the titles."""
    titles = await context.titles(connection, sorted({one.product_id for one in seats}))
    running = await _running(connection, seats)
    return [
        messages.AdminFamilySeat(
            owner_user_id=str(one.owner_user_id),
            product_id=str(one.product_id),
            title=titles.get(one.product_id, ""),
            seat_number=one.seat_number,
            held_by_user_id=str(one.held_by_user_id),
            session_id=str(one.session_id),
            since=timestamp(one.since),
            lost_at=timestamp(one.lost_at),
            session_runs=one.session_id in running,
        )
        for one in seats
    ]


async def _running(connection: Connection, seats: Collection[TakenSeat]) -> set[UUID]:
    by_holder = groupby(sorted(seats, key=lambda one: one.held_by_user_id), key=lambda one: one.held_by_user_id)
    running: set[UUID] = set()
    for holder_id, held in by_holder:
        running |= await CopyQueries(connection).running(holder_id, [one.session_id for one in held])
    return running
