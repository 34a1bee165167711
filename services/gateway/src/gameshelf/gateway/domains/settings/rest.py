"""REST of game settings (contract, section 3.7)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.settings.conditions import precondition
from gameshelf.gateway.domains.settings.openings import change_of_layer
from gameshelf.gateway.domains.settings.resources import GAME_SETTINGS, SETTINGS_LAYER, SETTINGS_OF_GAME
from gameshelf.gateway.runtime.http.conditions import is_match
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.settings import (
    Address,
    GameFilter,
    MergedSettings,
    NewSettings,
    PreconditionFailed,
    SettingsNotFound,
    SettingsPatch,
    SettingsQueries,
    SettingsService,
)

routes = Routes(
    "settings",
    "Settings of games, in layers: one of the account, and overlays of platforms and devices.",
    {"product_id": ("Id of the game.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3")},
)


_WRITTEN: dict[str, Any] = {
    "query": Address,
    "answers": GAME_SETTINGS.document,
    "refuses": ("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED", "PRECONDITION_FAILED"),
    "has_etag": True,
    "takes_if_absent": True,
    "takes_large": True,
    "opening": change_of_layer,
}


@routes.read("/settings", query=GameFilter, answers=SETTINGS_OF_GAME.collection("/settings"))
async def list_settings(read: Read, query: GameFilter) -> Reply:
    """Lists the games with settings.

    Returns a page of the games that the user has settings of, the last changed first. With `since` it includes games
    whose settings were deleted.
    """
    found = await read.of(SettingsQueries).games(read.user_id, query)
    shown = await with_titles(read, [SETTINGS_OF_GAME.render(one) for one in found.items])
    return Reply(200, render_collection(f"{BASE}/settings", parameters(query), shown, found.total, query.slice))


@routes.read("/settings/<uuid:product_id>/layers", answers=SETTINGS_LAYER.listing)
async def list_layers(read: Read, product_id: UUID) -> Reply:
    """Lists the layers of the settings of a game.

    The payloads are left out. A new device can adopt the settings of another one by this list, and unused layers can be
    deleted.
    """
    found = await read.of(SettingsQueries).layers(read.user_id, product_id)
    return ok({"data": [SETTINGS_LAYER.render(one, product_id) for one in found]})


@routes.read(
    "/settings/<uuid:product_id>",
    query=Address,
    answers=GAME_SETTINGS.document,
    refuses=("SETTINGS_NOT_FOUND",),
    has_etag=True,
)
async def get_settings(read: Read, product_id: UUID, query: Address) -> Reply:
    """Returns the settings of a game.

    Returns the layer of the account, merged with the overlays of the platform and of the device that the query names.
    """
    found = await read.of(SettingsQueries).settings(read.user_id, product_id, query, read.now)
    if found is None:
        raise SettingsNotFound
    if read.if_none_match and is_match(read.if_none_match, _etag(found)):
        return Reply(304, headers={"ETag": _etag(found)})
    return _shown(found)


@routes.write(
    "PUT",
    "/settings/<uuid:product_id>",
    body=NewSettings,
    example={"settings_payload": {"volume": 70, "keys": {"jump": "Space"}}},
    status=200,
    also={201: "The game had no settings at all; now it has."},
    **_WRITTEN,
)
async def put_settings(write: Write, product_id: UUID, query: Address, body: NewSettings) -> Reply:
    """Replaces a layer of settings.

    The query selects the overlay of a platform or of a device; without it the layer of the account is replaced. Needs
    access to the product. After a 412 `errors[0].meta.current` has the current settings.
    """
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        found, is_new = await write.of(SettingsService).put(write.user_id, product_id, query, body, given)
    return _shown(found, 201 if is_new else 200)


@routes.write(
    "PATCH",
    "/settings/<uuid:product_id>",
    body=SettingsPatch,
    example={"settings_payload": {"volume": 80, "keys": None}},
    status=200,
    also={201: "The game had no settings at all; now it has."},
    **_WRITTEN,
)
async def patch_settings(write: Write, product_id: UUID, query: Address, body: SettingsPatch) -> Reply:
    """Patches a layer of settings.

    Applies a JSON Merge Patch (RFC 7396): null removes a key. Needs access to the product. After a 412
    `errors[0].meta.current` has the current settings.
    """
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        found, is_new = await write.of(SettingsService).patch(write.user_id, product_id, query, body, given)
    return _shown(found, 201 if is_new else 200)


@routes.write(
    "DELETE",
    "/settings/<uuid:product_id>",
    query=Address,
    status=204,
    refuses=("SETTINGS_NOT_FOUND", "PRECONDITION_FAILED"),
    has_etag=True,
)
async def delete_settings(write: Write, product_id: UUID, query: Address) -> Reply:
    """Deletes settings of a game.

    Deletes the overlay that the query names; without a query all layers.
    """
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        await write.of(SettingsService).delete(write.user_id, product_id, query, given)
    return no_content()


def _shown(found: MergedSettings, status: int = 200) -> Reply:
    return ok({"data": GAME_SETTINGS.render(found)}, status, ETag=_etag(found))


def _etag(of: MergedSettings) -> str:
    return f'"{of.revisions.tag}"'


@contextmanager
def _current_state() -> Iterator[None]:
    """Renders the current state in a refusal as in a response."""
    try:
        yield
    except PreconditionFailed as error:
        current = error.meta["current"]
        raise PreconditionFailed(current=GAME_SETTINGS.render(current) if current else None) from None
