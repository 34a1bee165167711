"""REST of the wishlist (contract, section 3.5)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.wishlist.resources import WISHLIST_ITEM
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, no_content, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import MAX_LIMIT, Page
from gameshelf.library import Language, LibraryQueries, ProductView
from gameshelf.wishlist import (
    GameNotFoundInWishlist,
    NewWish,
    Order,
    Price,
    PricedWish,
    WishChanges,
    WishlistPage,
    WishlistQueries,
    WishlistService,
)

routes = Routes("wishlist")


@routes.read("/wishlist/items", query=WishlistPage, answers=schemas.collection(WISHLIST_ITEM))
async def list_wishes(read: Read, query: WishlistPage) -> Reply:
    """What the player wishes for: by priority, then the oldest wish first."""
    found = await read.of(WishlistQueries).items(read.user_id, query.slice)
    shown = await _shown(read.connection, found.items, read.language)
    return Reply(200, collection(f"{BASE}/wishlist/items", {}, shown, found.total, query.slice))


@routes.write(
    "POST",
    "/wishlist/items",
    body=NewWish,
    answers=schemas.single(WISHLIST_ITEM),
    status=201,
    refuses=("PRODUCT_ALREADY_OWNED", "WISHLIST_ITEM_ALREADY_EXISTS", "WISHLIST_LIMIT_EXCEEDED"),
)
async def add_wish(write: Write, body: NewWish) -> Reply:
    """Wishes for a product, also for one that the Catalog has not spoken of yet."""
    wish = await write.of(WishlistService).add(write.user_id, body)
    return ok({"data": await _one(write, wish.id)}, status=201)


@routes.write(
    "PATCH",
    "/wishlist/items/<uuid:item_id>",
    body=WishChanges,
    answers=schemas.single(WISHLIST_ITEM),
    refuses=("GAME_NOT_FOUND_IN_WISHLIST",),
)
async def update_wish(write: Write, item_id: UUID, body: WishChanges) -> Reply:
    """Changes priority, notes or conditions; null clears."""
    wish = await write.of(WishlistService).change(write.user_id, item_id, body)
    return ok({"data": await _one(write, wish.id)})


@routes.write("DELETE", "/wishlist/items/<uuid:item_id>", status=204, refuses=("GAME_NOT_FOUND_IN_WISHLIST",))
async def remove_wish(write: Write, item_id: UUID) -> Reply:
    """Takes an item from the list."""
    await write.of(WishlistService).remove(write.user_id, item_id)
    return no_content()


@routes.write(
    "DELETE",
    "/wishlist/items/by-product/<uuid:product_id>",
    status=204,
    refuses=("GAME_NOT_FOUND_IN_WISHLIST",),
)
async def remove_wish_of_product(write: Write, product_id: UUID) -> Reply:
    """Takes a product from the list."""
    await write.of(WishlistService).remove_product(write.user_id, product_id)
    return no_content()


@routes.write("PUT", "/wishlist/order", body=Order, answers=schemas.collection(WISHLIST_ITEM))
async def order_wishes(write: Write, body: Order) -> Reply:
    """Gives the whole list an order; its first page in it."""
    await write.of(WishlistService).order(write.user_id, body.item_ids)
    page = Page(1, MAX_LIMIT)
    found = await write.reads(WishlistQueries).items(write.user_id, page)
    shown = await _shown(write.transaction.connection, found.items, write.language)
    return Reply(200, collection(f"{BASE}/wishlist/items", {}, shown, found.total, page))


async def _one(write: Write, item_id: UUID) -> dict[str, Any]:
    """An item as it is in the running transaction."""
    found = await write.reads(WishlistQueries).item(write.user_id, item_id)
    if found is None:
        raise GameNotFoundInWishlist
    [shown] = await _shown(write.transaction.connection, [found], write.language)
    return shown


async def _shown(connection: Connection, items: Sequence[PricedWish], language: Language) -> list[dict[str, Any]]:
    """Resources with what the library knows of their products: one round trip for all."""
    products = await LibraryQueries(connection).products([item.wish.product_id for item in items])
    return [resource(item, products, language) for item in items]


def resource(item: PricedWish, products: Mapping[UUID, ProductView], language: Language) -> dict[str, Any]:
    """The resource ``wishlistItem``."""
    wish, product = item.wish, products.get(item.wish.product_id)
    return {
        "type": "wishlistItem",
        "id": wish.id,
        "attributes": {
            "product_id": wish.product_id,
            "title": product.title(language) if product else None,
            "cover_image_url": product.cover_image_url if product else None,
            "added_at": wish.added_at,
            "priority": wish.priority,
            "notes": wish.notes,
            "target_price_minor": wish.target_price_minor,
            "target_currency": wish.target_currency,
            "min_discount_percent": wish.min_discount_percent,
            "current_price": price(item.price) if item.price else None,
        },
    }


def price(of: Price) -> dict[str, Any]:
    return {
        "price_minor": of.price_minor,
        "currency": of.currency,
        "discount_percent": of.discount_percent,
        "sale_id": of.sale_id,
        "sale_ends_at": of.sale_ends_at,
    }
