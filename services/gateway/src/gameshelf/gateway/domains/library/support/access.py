"""``access explain``: why a user may or may not play a product."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gameshelf.gateway.domains.library.support.library import grant
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.library import AccessExplained, Explanation, LinkReason, SeatReason
from gameshelf.playtime import CopyQueries
from gameshelf.protos.library.v1 import admin_library_pb2 as messages

Titles = Mapping[UUID, str]


COMMANDS = (read_command("access explain", "ExplainAccess"),)


class AccessOfUser:
    """Serves explanations."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ExplainAccess(
        self, request: messages.ExplainAccessRequest, by: Identity
    ) -> messages.ExplainAccessResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        async with (
            self._context.reading(user_id) as connection,
            # One snapshot: reads at different times could contradict each other.
            connection.transaction(isolation="repeatable_read", readonly=True),  # type: ignore[attr-defined]
        ):
            found = await AccessExplained(connection, CopyQueries(connection)).explain(user_id, product_id)
            other = {one.other_seat.seat.product_id for one in found.links if one.other_seat}
            titles = await self._context.titles(connection, [product_id, *sorted(other)])
        return _explained(found, titles)


def _explained(of: Explanation, titles: Titles) -> messages.ExplainAccessResponse:
    catalog, item, access = of.catalog, of.item, of.access
    return messages.ExplainAccessResponse(
        at=timestamp(of.at),
        has_access=access.has_access,
        reason=access.reason,
        access_since=timestamp(access.acquired_at),
        access_type=text(access.access_type),
        shared_from_user_id=text(access.shared_from_user_id),
        start=of.start,
        is_known=catalog is not None,
        title=titles.get(of.product_id, ""),
        product_type=text(catalog and catalog.product_type),
        is_free_to_play=catalog.is_free_to_play if catalog else None,
        family_sharing_allowed=catalog.family_sharing_allowed if catalog else None,
        library_item_id=str(item.id) if item else "",
        is_hidden=bool(item and item.is_hidden),
        installation_status=item.installation_status if item else "",
        grants=[grant(one) for one in of.grants],
        links=[_link(one, of.at, titles) for one in of.links],
        deciding_link_id=text(of.deciding_link_id),
        starting_link_id=text(of.starting_link_id),
        own_seat=_seat(of.own_seat, titles),
    )


def _link(of: LinkReason, at: datetime, titles: Titles) -> messages.AccessLink:
    return messages.AccessLink(
        link_id=str(of.link.id),
        owner_user_id=str(of.link.owner_user_id),
        status=of.status,
        expires_at=timestamp(of.link.expires_at),
        active_since=timestamp(of.link.active_since),
        mode=of.link.mode,
        is_in_scope=of.covers,
        owner_owns=of.owned_since is not None,
        owned_since=timestamp(of.owned_since),
        verdict=of.reason,
        seat=_seat(of.seat, titles),
        other_seat=_seat(of.other_seat, titles),
        owner_plays_since=timestamp(of.owner_plays_since),
        is_busy=of.is_busy(at),
        updated_at=timestamp(of.link.updated_at),
    )


def _seat(of: SeatReason | None, titles: Titles) -> messages.AccessSeat | None:
    if of is None:
        return None
    return messages.AccessSeat(
        held_by_user_id=str(of.seat.held_by_user_id),
        session_id=str(of.seat.session_id),
        since=timestamp(of.seat.since),
        lost_at=timestamp(of.seat.lost_at),
        product_id=str(of.seat.product_id),
        title=titles.get(of.seat.product_id, ""),
        seat_number=of.seat.seat_number,
        session_runs=of.runs,
    )
