"""REST of the library (contract, section 3.1)."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.library.resources import CHANGED_ITEM, LIBRARY_ITEM, USER_CATEGORY
from gameshelf.gateway.runtime.encoding import JsonText
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.conditions import is_match, states_of
from gameshelf.gateway.runtime.http.idempotency import results_of
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, no_content, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.library import (
    BulkChanges,
    BulkResult,
    CategoryChanges,
    CategoryView,
    ClaimProduct,
    ItemChanged,
    ItemChanges,
    ItemFilter,
    ItemView,
    LibraryItemNotFound,
    LibraryQueries,
    LibraryService,
    NewCategory,
    OnDevice,
)

routes = Routes("library")


@routes.read("/items", query=ItemFilter, answers=schemas.collection(LIBRARY_ITEM), has_etag=True)
async def list_items(read: Read, query: ItemFilter) -> Reply:
    """The user's games: filtered, sorted, a page at a time."""
    etag = _etag(read, query)
    headers = {"ETag": etag}
    if read.if_none_match and is_match(read.if_none_match, etag):
        return Reply(304, headers=headers)
    key = f"{read.user_id}{etag}"
    page = read.pages.get(key)
    if page is None:
        has_shares = read.state.shares is not None
        found = await read.of(LibraryQueries).items(read.user_id, query, read.language, has_shares=has_shares)
        shown = [item(view) for view in found.items]
        page = collection(f"{BASE}/items", parameters(query), shown, found.total, query.slice)
        read.pages.put(key, page)
    return Reply(200, page, headers)


@routes.read(
    "/items/<uuid:item_id>",
    query=OnDevice,
    answers=schemas.single(LIBRARY_ITEM),
    refuses=("LIBRARY_ITEM_NOT_FOUND",),
    has_etag=True,
)
async def get_item(read: Read, item_id: UUID, query: OnDevice) -> Reply:
    """One game of the library."""
    found = await read.of(LibraryQueries).item(read.user_id, item_id, read.language, query.device_id)
    if found is None:
        raise LibraryItemNotFound
    reply = _shown(found)
    if read.if_none_match and is_match(read.if_none_match, reply.headers["ETag"]):
        return Reply(304, headers=reply.headers)
    return reply


@routes.write(
    "POST",
    "/items",
    body=ClaimProduct,
    answers=schemas.single(LIBRARY_ITEM),
    status=201,
    refuses=("NOT_FOUND", "PERMISSION_DENIED", "PRODUCT_ALREADY_OWNED"),
)
async def claim_item(write: Write, body: ClaimProduct) -> Reply:
    """Claims a free-to-play game."""
    claimed = await write.of(LibraryService).claim(write.user_id, body.product_id, write.language)
    return ok({"data": item(claimed)}, status=201)


@routes.write(
    "PATCH",
    "/items/<uuid:item_id>",
    body=ItemChanges,
    answers=schemas.single(LIBRARY_ITEM),
    refuses=("LIBRARY_ITEM_NOT_FOUND", "CATEGORY_NOT_FOUND", "PRECONDITION_FAILED"),
    has_etag=True,
)
async def update_item(write: Write, item_id: UUID, body: ItemChanges) -> Reply:
    """Hides a game, sorts it into categories, or says where it stands on a device or on all."""
    states = states_of(write.if_match)
    try:
        changed = await write.of(LibraryService).update_item(write.user_id, item_id, body, write.language, states)
    except ItemChanged as error:
        raise ItemChanged(current=item(error.meta["current"])) from None
    return _shown(changed)


async def changed_again(write: Write, kept: Any, body: BulkChanges) -> Any:
    """The first answer to a bulk change, of its results."""
    results = zip(body.items, kept["brief"], strict=True)
    return {"data": [changed_item(BulkResult(one.id, *said)) for one, said in results]}


@routes.write(
    "POST",
    "/items/bulk",
    body=BulkChanges,
    answers=schemas.listing(CHANGED_ITEM),
    brief=results_of,
    renew=changed_again,
    max_body_bytes=2 * 1024 * 1024,
)
async def update_items(write: Write, body: BulkChanges) -> Reply:
    """Changes up to 500 games in one commit; what is wrong with one of them keeps back that one alone."""
    results = await write.of(LibraryService).update_items(write.user_id, body)
    return ok({"data": [changed_item(one) for one in results]})


@routes.read("/categories", query=PageQuery, answers=schemas.collection(USER_CATEGORY))
async def list_categories(read: Read, query: PageQuery) -> Reply:
    """The user's categories by display order, a page at a time."""
    found = await read.of(LibraryQueries).categories(read.user_id)
    page = query.slice
    shown = [category(view) for view in found[page.offset : page.offset + page.limit]]
    return Reply(200, collection(f"{BASE}/categories", {}, shown, len(found), page))


@routes.write(
    "POST",
    "/categories",
    body=NewCategory,
    answers=schemas.single(USER_CATEGORY),
    status=201,
    refuses=("CATEGORY_ALREADY_EXISTS",),
)
async def create_category(write: Write, body: NewCategory) -> Reply:
    """Creates a category."""
    created = await write.of(LibraryService).create_category(write.user_id, body)
    return ok({"data": category(created)}, status=201)


@routes.write(
    "PATCH",
    "/categories/<uuid:category_id>",
    body=CategoryChanges,
    answers=schemas.single(USER_CATEGORY),
    refuses=("CATEGORY_NOT_FOUND", "CATEGORY_ALREADY_EXISTS"),
)
async def update_category(write: Write, category_id: UUID, body: CategoryChanges) -> Reply:
    """Renames or moves a category."""
    changed = await write.of(LibraryService).update_category(write.user_id, category_id, body)
    return ok({"data": category(changed)})


@routes.write("DELETE", "/categories/<uuid:category_id>", status=204, refuses=("CATEGORY_NOT_FOUND",))
async def delete_category(write: Write, category_id: UUID) -> Reply:
    """Deletes a category; the games in it stay."""
    await write.of(LibraryService).delete_category(write.user_id, category_id)
    return no_content()


def _shown(view: ItemView) -> Reply:
    """An item with its ETag ``"<state>.<rest>"``: what If-Match compares, and everything else that is shown."""
    reply = ok({"data": item(view)})
    rest = blake2b(reply.body, digest_size=9).hexdigest()
    reply.headers["ETag"] = f'"{view.state}.{rest}"'
    return reply


def changed_item(of: BulkResult) -> dict[str, Any]:
    """The resource ``changedItem``."""
    return {"type": "changedItem", "id": of.id, "attributes": {"result": of.result, "code": of.code}}


def item(view: ItemView) -> dict[str, Any]:
    """The resource ``libraryItem``."""
    return {
        "type": "libraryItem",
        "id": view.id,
        "attributes": {
            "product_id": view.product_id,
            "product_type": view.product_type,
            "title": view.title,
            "cover_image_url": view.cover_image_url,
            "added_at": view.added_at,
            "acquisition_type": view.acquisition_type,
            "shared_from_user_id": view.shared_from_user_id,
            "installation_status": view.installation_status,
            "installed_version_id": view.installed_version_id,
            "installations": JsonText(view.installations_json),
            "last_played_at": view.last_played_at,
            "total_playtime_seconds": view.total_playtime_seconds,
            "is_hidden": view.is_hidden,
            "user_rating": view.user_rating,
        },
        "relationships": {"categories": {"data": [{"type": "userCategory", "id": one} for one in view.category_ids]}},
        "links": {"self": f"{BASE}/items/{view.id}"},
    }


def category(view: CategoryView) -> dict[str, Any]:
    """The resource ``userCategory``."""
    return {
        "type": "userCategory",
        "id": view.id,
        "attributes": {
            "name": view.name,
            "display_order": view.display_order,
            "item_count": view.item_count,
            "created_at": view.created_at,
            "updated_at": view.updated_at,
        },
        "links": {"self": f"{BASE}/categories/{view.id}"},
    }


def _etag(read: Read, query: ItemFilter) -> str:
    """Covers the query, the language and the versions of everything that the page is made of."""
    state = read.state
    shares = f"-{_short(state.shares)}" if state.shares else ""
    return f'"{_name(query, read.language)}-{state.version}-{state.catalog_version}{shares}"'


@lru_cache(maxsize=512)
def _name(query: ItemFilter, language: str) -> str:
    return _short(f"{language}{query.model_dump_json()}")


def _short(text: str) -> str:
    return blake2b(text.encode(), digest_size=9).hexdigest()
