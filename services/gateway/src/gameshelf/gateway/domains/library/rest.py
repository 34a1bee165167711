"""REST of the library (contract, section 3.1)."""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.library.included import ItemQuery, ItemsQuery, add_included
from gameshelf.gateway.domains.library.resources import CHANGED_ITEM, LIBRARY_ITEM, USER_CATEGORY
from gameshelf.gateway.domains.library.versions import page_key, versions_of
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.conditions import is_match, states_of
from gameshelf.gateway.runtime.http.idempotency import results_excerpt
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.library import (
    BulkChanges,
    BulkResult,
    CategoryChanges,
    ClaimProduct,
    ItemChanged,
    ItemChanges,
    LibraryItemNotFound,
    LibraryQueries,
    LibraryService,
    NewCategory,
)

routes = Routes(
    "library",
    "The library of the user: items, and the categories that they are sorted into.",
    {
        "item_id": ("Id of the item.", "5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"),
        "category_id": ("Id of the category.", "8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31"),
    },
)


@routes.read("/items", query=ItemsQuery, answers=LIBRARY_ITEM.collection("/items"), has_etag=True)
async def list_items(read: Read, query: ItemsQuery) -> Reply:
    """Lists the library.

    Returns a page of the games that the user owns, or that a family member shares with them. All filters have to match.
    Hidden items are left out unless `include_hidden` selects them. With the `ETag` of an earlier page as
    `If-None-Match` the response is 304 while nothing has changed. `include` adds to each item what other parts of the
    library know of its product.
    """
    if query.include:
        return await _list_with_included(read, query)
    etag = f'"{versions_of(read, query)}"'
    headers = {"ETag": etag}
    if read.if_none_match and is_match(read.if_none_match, etag):
        return Reply(304, headers=headers)
    key = page_key(read, query)
    page = read.pages.get(key, etag)
    if page is None:
        page = await _page(read, query)
        read.pages.put(key, etag, page)
    return Reply(200, page, headers)


async def _list_with_included(read: Read, query: ItemsQuery) -> Reply:
    """Lists items with their parts. No versions cover these, so the ETag is of the page's bytes."""
    page = await _page(read, query)
    headers = {"ETag": f'"{blake2b(page, digest_size=9).hexdigest()}"'}
    if read.if_none_match and is_match(read.if_none_match, headers["ETag"]):
        return Reply(304, headers=headers)
    return Reply(200, page, headers)


async def _page(read: Read, query: ItemsQuery) -> bytes:
    has_shares = read.state.shares is not None
    found = await read.of(LibraryQueries).items(read.user_id, query, read.language, has_shares=has_shares)
    shown = [LIBRARY_ITEM.render(view) for view in found.items]
    await add_included(read, shown, query.include, query.device_id)
    return render_collection(f"{BASE}/items", parameters(query), shown, found.total, query.slice)


@routes.read(
    "/items/<uuid:item_id>",
    query=ItemQuery,
    answers=LIBRARY_ITEM.document,
    refuses=("LIBRARY_ITEM_NOT_FOUND",),
    has_etag=True,
)
async def get_item(read: Read, item_id: UUID, query: ItemQuery) -> Reply:
    """Returns an item of the library.

    This includes hidden items. The `ETag` changes whenever the response does; as `If-Match` of a change it compares
    only the fields that the user can change. `include` adds what other parts of the library know of the product.
    """
    found = await read.of(LibraryQueries).item(read.user_id, item_id, read.language, query.device_id)
    if found is None:
        raise LibraryItemNotFound
    shown = LIBRARY_ITEM.render(found)
    await add_included(read, [shown], query.include, query.device_id)
    reply = _reply(shown, found.state)
    if read.if_none_match and is_match(read.if_none_match, reply.headers["ETag"]):
        return Reply(304, headers=reply.headers)
    return reply


@routes.write(
    "POST",
    "/items",
    body=ClaimProduct,
    example={"product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"},
    answers=LIBRARY_ITEM.document,
    status=201,
    refuses=("NOT_FOUND", "PERMISSION_DENIED", "PRODUCT_ALREADY_OWNED"),
)
async def claim_item(write: Write, body: ClaimProduct) -> Reply:
    """Claims a free-to-play product.

    Adds a product to the library that is free to play according to the Catalog. Any other known product is refused with
    403, an unknown one with 404.
    """
    claimed = await write.of(LibraryService).claim(write.user_id, body.product_id, write.language)
    return ok({"data": LIBRARY_ITEM.render(claimed)}, status=201)


@routes.write(
    "PATCH",
    "/items/<uuid:item_id>",
    body=ItemChanges,
    example={"is_hidden": False, "add_category_ids": ["8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31"]},
    answers=LIBRARY_ITEM.document,
    refuses=("LIBRARY_ITEM_NOT_FOUND", "CATEGORY_NOT_FOUND", "PRECONDITION_FAILED"),
    has_etag=True,
)
async def update_item(write: Write, item_id: UUID, body: ItemChanges) -> Reply:
    """Changes an item of the library.

    Hides it, replaces or edits its categories, or sets its installation on one device or on all devices. A field that
    is left out stays as it is. After a 412 `errors[0].meta.current` has the current item.
    """
    states = states_of(write.if_match)
    try:
        changed = await write.of(LibraryService).update_item(write.user_id, item_id, body, write.language, states)
    except ItemChanged as error:
        raise ItemChanged(current=LIBRARY_ITEM.render(error.meta["current"])) from None
    return _reply(LIBRARY_ITEM.render(changed), changed.state)


@routes.action(
    "POST",
    "/items/bulk",
    body=BulkChanges,
    example={"items": [{"id": "5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10", "is_hidden": True}]},
    answers=CHANGED_ITEM.listing,
    max_body_bytes=2 * 1024 * 1024,
)
async def update_items(action: RestAction, body: BulkChanges) -> Reply:
    """Changes up to 500 items.

    All changes are committed together, and each has a result, in the order of the request. An item that can't be
    changed is rejected, and does not affect the others.
    """

    async def update(write: Write) -> Reply:
        results = await write.of(LibraryService).update_items(write.user_id, body)
        return ok({"data": [CHANGED_ITEM.render(one) for one in results]})

    def render(one: Any, *result: Any) -> Any:
        return CHANGED_ITEM.render(BulkResult(one.id, *result))

    return await action.answer(update, results_excerpt(body.items, render))


@routes.read("/categories", query=PageQuery, answers=USER_CATEGORY.collection("/categories"))
async def list_categories(read: Read, query: PageQuery) -> Reply:
    """Lists the categories.

    Returns a page of the categories of the user, by their display order.
    """
    found = await read.of(LibraryQueries).categories(read.user_id)
    page = query.slice
    shown = [USER_CATEGORY.render(view) for view in found[page.offset : page.offset + page.limit]]
    return Reply(200, render_collection(f"{BASE}/categories", {}, shown, len(found), page))


@routes.write(
    "POST",
    "/categories",
    body=NewCategory,
    example={"name": "RPG", "display_order": 1},
    answers=USER_CATEGORY.document,
    status=201,
    refuses=("CATEGORY_ALREADY_EXISTS",),
)
async def create_category(write: Write, body: NewCategory) -> Reply:
    """Creates a category.

    A user may have up to 200 categories. Names are compared without regard to case and spacing.
    """
    created = await write.of(LibraryService).create_category(write.user_id, body)
    return ok({"data": USER_CATEGORY.render(created)}, status=201)


@routes.write(
    "PATCH",
    "/categories/<uuid:category_id>",
    body=CategoryChanges,
    example={"name": "Role-playing games"},
    answers=USER_CATEGORY.document,
    refuses=("CATEGORY_NOT_FOUND", "CATEGORY_ALREADY_EXISTS"),
)
async def update_category(write: Write, category_id: UUID, body: CategoryChanges) -> Reply:
    """Renames or moves a category.

    A field that is left out stays as it is.
    """
    changed = await write.of(LibraryService).update_category(write.user_id, category_id, body)
    return ok({"data": USER_CATEGORY.render(changed)})


@routes.write("DELETE", "/categories/<uuid:category_id>", status=204, refuses=("CATEGORY_NOT_FOUND",))
async def delete_category(write: Write, category_id: UUID) -> Reply:
    """Deletes a category.

    The items in it stay in the library.
    """
    await write.of(LibraryService).delete_category(write.user_id, category_id)
    return no_content()


def _reply(shown: dict[str, Any], state: str) -> Reply:
    """Replies with an item and its ETag ``"<state>.<rest>"``: the part that If-Match compares, and all other fields."""
    reply = ok({"data": shown})
    rest = blake2b(reply.body, digest_size=9).hexdigest()
    reply.headers["ETag"] = f'"{state}.{rest}"'
    return reply
