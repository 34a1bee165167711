"""REST of the wishlist (contract, section 3.5)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.wishlist.openings import new_wish
from gameshelf.gateway.domains.wishlist.resources import WISHLIST_ITEM, WishName
from gameshelf.gateway.runtime.errors import Language
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.gateway.runtime.products import ProductName, ProductNames
from gameshelf.kernel.paging import MAX_LIMIT, Page
from gameshelf.wishlist import (
    GameNotFoundInWishlist,
    NewWish,
    Order,
    PricedWish,
    WishChanges,
    WishlistPage,
    WishlistQueries,
    WishlistService,
)

routes = Routes(
    "wishlist",
    "The products that a user wishes for, and the conditions of notifications.",
    {
        "item_id": ("Id of the item of the wishlist.", "a87ff679-a2f3-471d-8a81-5f1c6d7e8f90"),
        "product_id": ("Id of the product.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    },
)


@routes.read("/wishlist/items", query=WishlistPage, answers=WISHLIST_ITEM.collection("/wishlist/items"))
async def list_wishes(read: Read, query: WishlistPage) -> Reply:
    """Lists the wishlist.

    Returns a page of the wishlist by priority, and then by the time of adding.
    """
    found = await read.of(WishlistQueries).items(read.user_id, query.slice)
    shown = await _shown(read.product_names, found.items, read.language)
    return Reply(200, render_collection(f"{BASE}/wishlist/items", {}, shown, found.total, query.slice))


@routes.write(
    "POST",
    "/wishlist/items",
    body=NewWish,
    example={
        "product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
        "priority": 1,
        "target_price_minor": 150000,
        "target_currency": "RUB",
    },
    answers=WISHLIST_ITEM.document,
    status=201,
    refuses=("PRODUCT_ALREADY_OWNED", "WISHLIST_ITEM_ALREADY_EXISTS", "WISHLIST_LIMIT_EXCEEDED"),
    opening=new_wish,
)
async def add_wish(write: Write, body: NewWish) -> Reply:
    """Adds a product to the wishlist.

    The Catalog need not have named the product yet. The user is notified of sales that meet all conditions of the item.
    """
    added = await write.of(WishlistService).add_product(write.user_id, body)
    [shown] = await _shown(write.product_names, [added], write.language)
    return ok({"data": shown}, status=201)


@routes.write(
    "PATCH",
    "/wishlist/items/<uuid:item_id>",
    body=WishChanges,
    example={"notes": None, "min_discount_percent": 20},
    answers=WISHLIST_ITEM.document,
    refuses=("GAME_NOT_FOUND_IN_WISHLIST",),
)
async def update_wish(write: Write, item_id: UUID, body: WishChanges) -> Reply:
    """Changes an item of the wishlist.

    A field that is left out stays as it is; null clears it.
    """
    wish = await write.of(WishlistService).change_item(write.user_id, item_id, body)
    return ok({"data": await _one(write, wish.id)})


@routes.write("DELETE", "/wishlist/items/<uuid:item_id>", status=204, refuses=("GAME_NOT_FOUND_IN_WISHLIST",))
async def remove_wish(write: Write, item_id: UUID) -> Reply:
    """Removes an item from the wishlist.

    The item is named by its own id.
    """
    await write.of(WishlistService).remove_item(write.user_id, item_id)
    return no_content()


@routes.write(
    "DELETE",
    "/wishlist/items/by-product/<uuid:product_id>",
    status=204,
    refuses=("GAME_NOT_FOUND_IN_WISHLIST",),
)
async def remove_wish_of_product(write: Write, product_id: UUID) -> Reply:
    """Removes a product from the wishlist.

    The item is named by its product.
    """
    await write.of(WishlistService).remove_product(write.user_id, product_id)
    return no_content()


@routes.write(
    "PUT",
    "/wishlist/order",
    body=Order,
    example={"item_ids": ["a87ff679-a2f3-471d-8a81-5f1c6d7e8f90"]},
    answers=WISHLIST_ITEM.collection("/wishlist/items"),
)
async def order_wishes(write: Write, body: Order) -> Reply:
    """Orders the whole wishlist.

    Every item has to be named once; a list that is out of date is refused with 400. The response is the first page in
    the new order.
    """
    await write.of(WishlistService).set_order(write.user_id, body.item_ids)
    page = Page(1, MAX_LIMIT)
    found = await write.reads(WishlistQueries).items(write.user_id, page)
    shown = await _shown(write.product_names, found.items, write.language)
    return Reply(200, render_collection(f"{BASE}/wishlist/items", {}, shown, found.total, page))


async def _one(write: Write, item_id: UUID) -> dict[str, Any]:
    """Reads an item in the running transaction."""
    found = await write.reads(WishlistQueries).item(write.user_id, item_id)
    if found is None:
        raise GameNotFoundInWishlist
    [shown] = await _shown(write.product_names, [found], write.language)
    return shown


async def _shown(names: ProductNames, items: Sequence[PricedWish], language: Language) -> list[dict[str, Any]]:
    """Renders items with the titles and covers of their products: one round trip for all."""
    products = await names.products([item.wish.product_id for item in items])
    return [WISHLIST_ITEM.render(item, _name(products.get(item.wish.product_id), language)) for item in items]


def _name(product: ProductName | None, language: Language) -> WishName:
    return WishName(product.title(language), product.cover_image_url) if product else WishName()
