"""``LibraryQueryService``: reads of libraries by other services."""

from typing import Any

import grpc.aio
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    require_few,
    require_read,
)
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.library import AccessDecision, AccessQueries, ItemView, LibraryQueries, OnDevice
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import (
    LibraryQueryServiceServicer,
    add_LibraryQueryServiceServicer_to_server,
)

NO_ACCESS = AccessDecision(False, "not_owned")
NAME = messages.DESCRIPTOR.services_by_name["LibraryQueryService"].full_name


class LibraryQuery(LibraryQueryServiceServicer):
    """Serves reads of libraries; ``acquire`` gives a connection."""

    def __init__(self, acquire: Acquire, streams: UserStreams) -> None:
        self._acquire = acquire
        self._streams = streams

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_LibraryQueryServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def GetLibraryItems(
        self, request: messages.GetLibraryItemsRequest, context: GrpcContext
    ) -> messages.GetLibraryItemsResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        require_few(request.product_ids_filter, "product_ids_filter")
        products = [parse_id(product_id, "product_ids_filter") for product_id in request.product_ids_filter]
        device = parse_message(OnDevice, request, frozenset({"user_id", "product_ids_filter"}))
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, {user_id})
            items = (
                [] if gone else await LibraryQueries(connection).items_of_products(user_id, products, device.device_id)
            )
        return messages.GetLibraryItemsResponse(items=[item_message(item) for item in items])

    async def CheckGameAccess(
        self, request: messages.CheckGameAccessRequest, context: GrpcContext
    ) -> messages.CheckGameAccessResponse:
        [result] = await self._check([request])
        return result

    async def BatchCheckGameAccess(
        self, request: messages.BatchCheckGameAccessRequest, context: GrpcContext
    ) -> messages.BatchCheckGameAccessResponse:
        require_few(request.pairs, "pairs")
        return messages.BatchCheckGameAccessResponse(results=await self._check(request.pairs))

    async def _check(self, asked: Any) -> list[messages.CheckGameAccessResponse]:
        pairs = [(parse_id(one.user_id, "user_id"), parse_id(one.product_id, "product_id")) for one in asked]
        users = {user_id for user_id, _ in pairs}
        for user_id in users:
            require_read(user_id)
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, users)
            found = await AccessQueries(connection).access(pairs)
        return [
            access_message(NO_ACCESS if user_id in gone else one)
            for (user_id, _), one in zip(pairs, found, strict=True)
        ]


def item_message(view: ItemView) -> messages.LibraryItemInternal:
    return messages.LibraryItemInternal(
        product_id=str(view.product_id),
        added_at=timestamp(view.added_at),
        installation_status=view.installation_status,
        total_playtime_seconds=view.total_playtime_seconds,
        library_item_id=str(view.id),
        acquisition_type=view.acquisition_type,
        shared_from_user_id=text(view.shared_from_user_id),
        last_played_at=timestamp(view.last_played_at),
        is_hidden=view.is_hidden,
        installed_version_id=text(view.installed_version_id),
        installations=[
            messages.Installation(
                device_id=text(one.device_id),
                installation_status=one.installation_status,
                installed_version_id=text(one.installed_version_id),
                changed_at=timestamp(one.changed_at),
            )
            for one in view.installations
        ],
    )


def access_message(found: AccessDecision) -> messages.CheckGameAccessResponse:
    return messages.CheckGameAccessResponse(
        has_access=found.has_access,
        acquisition_date=timestamp(found.acquired_at),
        access_type=text(found.access_type),
        shared_from_user_id=text(found.shared_from_user_id),
        reason=found.reason,
    )
