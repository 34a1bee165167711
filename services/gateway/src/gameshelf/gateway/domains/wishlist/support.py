"""``wishlist show|explain``: a user's wishlist, and why they were notified of a price or were not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import read_command
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, page_limit
from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import MAX_PAGE, Page
from gameshelf.library import AccessQueries
from gameshelf.protos.library.v1 import admin_wishlist_pb2 as messages
from gameshelf.wishlist import (
    Price,
    PriceVerdict,
    SentNotification,
    Wish,
    WishExplanation,
    WishlistQueries,
    WishlistSupportQueries,
    count_wishes,
)

COMMANDS = (
    read_command("wishlist show", "ShowWishlist"),
    read_command("wishlist explain", "ExplainWish"),
)


class WishlistOfUser:
    """Serves wishlists. Prices without a target are in the default currency."""

    def __init__(self, context: SupportContext, default_currency: str) -> None:
        self._context = context
        self._currency = default_currency

    async def ShowWishlist(self, request: messages.ShowWishlistRequest, by: Identity) -> messages.ShowWishlistResponse:
        user_id = parse_id(request.user_id, "user_id")
        page = Page(min(max(request.page, 1), MAX_PAGE), page_limit(request.limit))
        async with self._context.reading(user_id) as connection:
            found = await WishlistQueries(connection, self._currency).items(user_id, page)
            titles = await self._context.titles(connection, [one.wish.product_id for one in found.items])
        return messages.ShowWishlistResponse(
            items=[_wish(one.wish, titles, one.price) for one in found.items], total_items=found.total
        )

    async def ExplainWish(self, request: messages.ExplainWishRequest, by: Identity) -> messages.ExplainWishResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        now = self._context.clock()
        async with (
            self._context.reading(user_id) as connection,
            # One snapshot: a price, its fan-out and its notifications change together.
            connection.transaction(isolation="repeatable_read", readonly=True),  # type: ignore[attr-defined]
        ):
            found = await WishlistSupportQueries(connection, self._currency).explain(user_id, product_id, now)
            is_owned = await AccessQueries(connection).owns(user_id, product_id)
            titles = await self._context.titles(connection, [product_id])
        return _explained(found, titles, product_id, now, is_owned=is_owned)


def _explained(
    of: WishExplanation, titles: Mapping[UUID, str], product_id: UUID, now: datetime, *, is_owned: bool
) -> messages.ExplainWishResponse:
    seen = next((one.price for one in of.prices if one.is_seen), None)
    return messages.ExplainWishResponse(
        title=titles.get(product_id, ""),
        wish=_wish(of.wish, titles, seen) if of.wish else None,
        is_owned=is_owned,
        prices=[_verdict(one) for one in of.prices],
        notifications=[_notification(one) for one in of.notifications],
        at=timestamp(now),
    )


def _wish(of: Wish, titles: Mapping[UUID, str], price: Price | None) -> messages.AdminWish:
    return messages.AdminWish(
        wishlist_item_id=str(of.id),
        product_id=str(of.product_id),
        title=titles.get(of.product_id, ""),
        added_at=timestamp(of.added_at),
        priority=of.priority,
        target_price_minor=of.target_price_minor,
        target_currency=text(of.target_currency),
        min_discount_percent=of.min_discount_percent,
        price=_price(price) if price else None,
    )


def _verdict(of: PriceVerdict) -> messages.ExplainedPrice:
    return messages.ExplainedPrice(
        price=_price(of.price),
        is_seen=of.is_seen,
        unmet=list(of.unmet),
        notification=_notification(of.sent) if of.sent else None,
        is_pending=of.is_pending,
    )


def _price(of: Price) -> messages.AdminPrice:
    return messages.AdminPrice(
        price_minor=of.price_minor,
        currency=of.currency,
        discount_percent=of.discount_percent,
        sale_id=text(of.sale_id),
        sale_ends_at=timestamp(of.sale_ends_at),
        said_at=timestamp(of.said_at),
        cut_from_minor=of.cut.old_price_minor if of.cut else None,
        cut_received_at=timestamp(of.cut.received_at if of.cut else None),
    )


def _notification(of: SentNotification) -> messages.WishNotification:
    return messages.WishNotification(
        notification_id=text(of.notification_id), sale_id=text(of.sale_id), notified_at=timestamp(of.notified_at)
    )


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    return {"wishlist_items": await count_wishes(connection, user_id)}


OVERVIEW = Overview(_count)
"""Counts a user's wishlist for ``user show``."""
