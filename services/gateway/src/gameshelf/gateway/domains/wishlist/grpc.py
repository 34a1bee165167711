"""``WishlistService``: wishlists for launchers and services that speak gRPC."""

import grpc.aio
from gameshelf import wishlist
from gameshelf.gateway.domains.wishlist.openings import new_wish
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    require_own,
    require_read,
)
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.protos.library.v1 import wishlist_service_pb2 as messages
from gameshelf.protos.library.v1.wishlist_service_pb2_grpc import (
    WishlistServiceServicer,
    add_WishlistServiceServicer_to_server,
)
from gameshelf.wishlist import NewWish, Wish, WishlistQueries

NAME = messages.DESCRIPTOR.services_by_name["WishlistService"].full_name


class Wishlists(WishlistServiceServicer):
    """Serves wishlists."""

    def __init__(self, transactions: Transactions, acquire: Acquire, streams: UserStreams) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_WishlistServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def ListWishlist(
        self, request: messages.ListWishlistRequest, context: GrpcContext
    ) -> messages.ListWishlistResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, {user_id})
            items = [] if gone else await WishlistQueries(connection).all_items(user_id)
        return messages.ListWishlistResponse(items=[wish_message(item.wish) for item in items])

    async def AddToWishlist(
        self, request: messages.AddToWishlistRequest, context: GrpcContext
    ) -> messages.AddToWishlistResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_own(user_id)
        new = parse_message(NewWish, request, frozenset({"user_id"}))
        added = await self._transactions.run(
            user_id,
            lambda transaction: transaction.of(wishlist.WishlistService).add_product(user_id, new),
            new_wish(user_id, new),
        )
        return messages.AddToWishlistResponse(item=wish_message(added.wish))

    async def RemoveFromWishlist(
        self, request: messages.RemoveFromWishlistRequest, context: GrpcContext
    ) -> messages.RemoveFromWishlistResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_own(user_id)
        product_id = parse_id(request.product_id, "product_id")
        await self._transactions.run(
            user_id, lambda transaction: transaction.of(wishlist.WishlistService).remove_product(user_id, product_id)
        )
        return messages.RemoveFromWishlistResponse()


def wish_message(of: Wish) -> messages.WishlistItem:
    return messages.WishlistItem(
        wishlist_item_id=str(of.id),
        product_id=str(of.product_id),
        added_at=timestamp(of.added_at),
        priority=of.priority,
        notes=text(of.notes),
        target_price_minor=of.target_price_minor,
        target_currency=text(of.target_currency),
        min_discount_percent=of.min_discount_percent,
    )
